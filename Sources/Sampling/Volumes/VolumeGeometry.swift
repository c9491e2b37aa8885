/// Where a volume's voxels lie in space: all that a NIfTI header says about it, kept so that a result can be
/// written on the same grid.
public struct VolumeGeometry: Hashable, Sendable {
    /// Size in voxels.
    public var extent: Extent
    /// Distance of neighbouring voxels along x, y and z, in the units that `units` names.
    public var spacing: SIMD3<Double>
    /// NIfTI's code of the units of space and time: `xyzt_units`, whose low three bits are 2 for millimetres.
    public var units: Int
    /// NIfTI's code of what the quaternion transform leads to; 0: there is none.
    public var qformCode: Int
    /// Quaternion b, c, d; like its offset kept as the header has it, also where the code is 0.
    public var quaternion: SIMD3<Double>
    /// Offset of the quaternion transform.
    public var quaternionOffset: SIMD3<Double>
    /// 1 or -1: the handedness of the quaternion transform.
    public var qfac: Double
    /// NIfTI's code of what the affine transform leads to; 0: there is none.
    public var sformCode: Int
    /// The header's affine transform.
    public var sform: Affine
    /// The transform of the quaternion, or of the spacing alone where there is none.
    var qform: Affine
    /// Whether the file was NIfTI-2 (its numbers are doubles and its sizes have 64 bits).
    public var isNIfTI2: Bool

    /// A grid that is aligned with the scanner, x to the right, y to the front, z to the top.
    ///
    /// - Parameters:
    ///   - spacing: along x, y and z in millimetres.
    ///   - origin: the centre of the first voxel in millimetres.
    public init(extent: Extent, spacing: SIMD3<Double>, origin: SIMD3<Double>) {
        self.extent = extent
        self.spacing = spacing
        units = 2
        qformCode = 1
        quaternion = .zero
        quaternionOffset = origin
        qfac = 1
        sformCode = 1
        sform = Affine(spacing: spacing, origin: origin)
        qform = sform
        isNIfTI2 = false
    }

    /// Voxel (x, y, z) to world (right, anterior, superior), as NIfTI tools choose it: the affine transform, else the
    /// quaternion, else the spacing alone.
    public var affine: Affine { sformCode > 0 ? sform : qform }

    /// The axes' directions, as in "RAS": to the Right, to Anterior, to Superior.
    public var orientation: String { affine.orientation }

    /// Volume of one voxel, in the cube of its unit of length.
    public var voxelVolume: Double { spacing.x * spacing.y * spacing.z }

    /// Volume of one voxel; a file that does not name its unit means millimetres.
    public var voxelCubicMillimetres: Double {
        switch units & 7 {
        case 1: voxelVolume * 1e9
        case 3: voxelVolume * 1e-9
        default: voxelVolume
        }
    }

    /// What sets this grid apart from `other`, as the end of a sentence, or nil where they agree.
    ///
    /// Grids agree if their sizes are equal and no corner lies farther than `tolerance` voxels from its counterpart.
    /// Where one of the two has no transform to the world, the spacings are compared instead.
    public func difference(from other: VolumeGeometry, tolerance: Double = 0.05) -> String? {
        if extent != other.extent {
            return "has \(extent) voxels and not \(other.extent)"
        }
        let smallest = min(other.spacing.x, other.spacing.y, other.spacing.z)
        let hasWorld = sformCode > 0 || qformCode > 0
        let otherHasWorld = other.sformCode > 0 || other.qformCode > 0
        guard hasWorld, otherHasWorld else {
            let last = SIMD3(Double(extent.width), Double(extent.height), Double(extent.depth))
            let drift = (spacing - other.spacing) * last
            if max(abs(drift.x), abs(drift.y), abs(drift.z)) <= tolerance * smallest { return nil }
            return "has a spacing of \(describe(spacing)) and not \(describe(other.spacing))"
        }
        var farthest = 0.0
        var place = SIMD3<Double>.zero
        for corner in 0..<8 {
            let voxel = SIMD3(
                corner & 1 == 0 ? 0 : Double(extent.width - 1),
                corner & 2 == 0 ? 0 : Double(extent.height - 1),
                corner & 4 == 0 ? 0 : Double(extent.depth - 1))
            let offset = affine(voxel) - other.affine(voxel)
            let distance = (offset * offset).sum().squareRoot()
            if distance > farthest || !distance.isFinite {
                farthest = distance
                place = voxel
            }
        }
        if farthest <= tolerance * smallest { return nil }
        if orientation != other.orientation {
            return "is oriented \(orientation) and not \(other.orientation)"
        }
        return
            "puts voxel (\(Int(place.x)), \(Int(place.y)), \(Int(place.z))) \(short(farthest)) mm away, and "
            + "\(short(tolerance * smallest)) mm are allowed"
    }
}

/// An affine map of voxel indices (x, y, z) to world coordinates.
public struct Affine: Hashable, Sendable {
    /// The first three rows of the 4 x 4 matrix; each holds the factors of x, y, z and the offset.
    public var rows: [SIMD4<Double>]

    init(rows: [SIMD4<Double>]) {
        precondition(rows.count == 3, "\(rows.count) rows of an affine map that has 3")
        self.rows = rows
    }

    init(spacing: SIMD3<Double>, origin: SIMD3<Double>) {
        rows = [
            SIMD4(spacing.x, 0, 0, origin.x), SIMD4(0, spacing.y, 0, origin.y),
            SIMD4(0, 0, spacing.z, origin.z),
        ]
    }

    /// The world coordinates of a voxel's centre.
    public func callAsFunction(_ voxel: SIMD3<Double>) -> SIMD3<Double> {
        let place = SIMD4(voxel.x, voxel.y, voxel.z, 1)
        return SIMD3((rows[0] * place).sum(), (rows[1] * place).sum(), (rows[2] * place).sum())
    }

    /// For each voxel axis the letter of the world direction that it is closest to.
    var orientation: String {
        var letters = ""
        for axis in 0..<3 {
            let column = SIMD3(rows[0][axis], rows[1][axis], rows[2][axis])
            let size = SIMD3(abs(column.x), abs(column.y), abs(column.z))
            if size.x >= size.y, size.x >= size.z {
                letters += column.x >= 0 ? "R" : "L"
            } else if size.y >= size.z {
                letters += column.y >= 0 ? "A" : "P"
            } else {
                letters += column.z >= 0 ? "S" : "I"
            }
        }
        return letters
    }
}

private func describe(_ spacing: SIMD3<Double>) -> String {
    "\(short(spacing.x)) x \(short(spacing.y)) x \(short(spacing.z)) mm"
}
