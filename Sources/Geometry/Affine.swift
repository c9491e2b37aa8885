/// An affine map of voxel indices (x, y, z) to world coordinates.
public struct Affine: Hashable, Sendable {
    /// The first three rows of the 4 x 4 matrix; each holds the factors of x, y, z and the offset.
    public var rows: [SIMD4<Double>]

    public init(rows: [SIMD4<Double>]) {
        precondition(rows.count == 3, "\(rows.count) rows of an affine map that has 3")
        self.rows = rows
    }

    /// - Parameter columns: the ways from a voxel to its neighbour along x, y and z.
    public init(columns: [SIMD3<Double>], origin: SIMD3<Double>) {
        precondition(columns.count == 3, "\(columns.count) columns of an affine map that has 3")
        rows = (0..<3).map { SIMD4(columns[0][$0], columns[1][$0], columns[2][$0], origin[$0]) }
    }

    public init(spacing: SIMD3<Double>, origin: SIMD3<Double>) {
        rows = [
            SIMD4(spacing.x, 0, 0, origin.x), SIMD4(0, spacing.y, 0, origin.y),
            SIMD4(0, 0, spacing.z, origin.z),
        ]
    }

    /// What nibabel takes where a header has no transform: the file's centre is the world's, x runs to the
    /// left.
    public init(withoutTransform spacing: SIMD3<Double>, size: Size3) {
        let steps = SIMD3(-abs(spacing.x), abs(spacing.y), abs(spacing.z))
        let last = SIMD3(Double(size.width - 1), Double(size.height - 1), Double(size.depth - 1))
        self.init(spacing: steps, origin: -steps * last / 2)
    }

    /// The world coordinates of a voxel's centre.
    public func callAsFunction(_ voxel: SIMD3<Double>) -> SIMD3<Double> {
        let place = SIMD4(voxel.x, voxel.y, voxel.z, 1)
        return SIMD3((rows[0] * place).sum(), (rows[1] * place).sum(), (rows[2] * place).sum())
    }

    /// The ways from a voxel to its neighbour along x, y and z.
    public var columns: [SIMD3<Double>] { (0..<3).map { SIMD3(rows[0][$0], rows[1][$0], rows[2][$0]) } }

    /// Distance of neighbouring voxels along x, y and z.
    public var columnLengths: SIMD3<Double> {
        let lengths = columns.map { ($0 * $0).sum().squareRoot() }
        return SIMD3(lengths[0], lengths[1], lengths[2])
    }

    /// Volume that a voxel fills, negative where the map is a mirror image.
    public var determinant: Double {
        let (x, y, z) = (rows[0], rows[1], rows[2])
        return x.x * (y.y * z.z - y.z * z.y) - x.y * (y.x * z.z - y.z * z.x) + x.z * (y.x * z.y - y.y * z.x)
    }

    /// The same map in another unit of length.
    public func scaled(by factor: Double) -> Affine { Affine(rows: rows.map { $0 * factor }) }
}
