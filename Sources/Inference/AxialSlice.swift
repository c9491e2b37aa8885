import Sampling

/// The slice of a volume across the body's axis that holds the most foreground, as radiologists see it: the
/// patient's front up, the right side on the left.
public struct AxialSlice: Sendable {
    /// Pixels of a row, from the patient's right to left.
    public let width: Int
    /// Rows, from the patient's front to back.
    public let height: Int
    /// A pixel's height over its width.
    public let aspect: Double
    /// The voxel of each pixel.
    private let voxels: [Int]

    /// - Parameter labels: [z][y][x]; all but 0 are foreground. Of equal slices the first is taken.
    public init(_ geometry: VolumeGeometry, mostOf labels: [UInt8]) {
        let extent = geometry.extent
        // By file axis x, y and z: its length, the distance of neighbours in voxels and millimetres, and its
        // direction.
        let lengths = [extent.width, extent.height, extent.depth]
        let strides = [1, extent.width, extent.width * extent.height]
        let spacings = geometry.voxelMillimetres
        let axes = geometry.affine.nearestAxes
        let (across, along, up) = (axes[0], axes[1], axes[2])
        /// Whether the file's axis runs with the world's: 0 to the right, 1 to anterior.
        func runs(_ axis: Int, along world: Int) -> Bool { geometry.affine.rows[world][axis] > 0 }
        width = lengths[across]
        height = lengths[along]
        aspect = spacings[across] > 0 && spacings[along] > 0 ? spacings[along] / spacings[across] : 1
        func offsets(_ axis: Int, reversed: Bool) -> [Int] {
            let forward = (0..<lengths[axis]).map { $0 * strides[axis] }
            return reversed ? forward.reversed() : forward
        }
        let columns = offsets(across, reversed: runs(across, along: 0))
        let rows = offsets(along, reversed: runs(along, along: 1))
        let slices = offsets(up, reversed: false)
        let counts = slices.map { slice in
            rows.reduce(0) { sum, row in sum + columns.count { labels[slice + row + $0] != 0 } }
        }
        let best = counts.indices.max { (counts[$0], -$0) < (counts[$1], -$1) } ?? 0
        voxels = rows.flatMap { row in columns.map { slices[best] + row + $0 } }
    }

    /// The pixels, rows from the top.
    public func cut<Value>(_ volume: [Value]) -> [Value] { voxels.map { volume[$0] } }
}
