import Geometry

/// The order of a volume's axes in memory: one of the file's in front, as depth, and the other two behind it
/// as they are stored. Directions stay: nothing is flipped.
public struct AxisOrder: Hashable, Sendable {
    /// The file's axis that is depth: 0 its slowest, z, then 1, y, and 2, x.
    public let front: Int

    /// As the file has them.
    public static let stored = AxisOrder(front: 0)

    public init(front: Int) {
        precondition((0..<3).contains(front), "axis \(front) of a volume with three")
        self.front = front
    }

    /// The file's axes that are depth, height and width.
    var axes: [Int] { [front] + (0..<3).filter { $0 != front } }

    /// The size in this order of a volume that the file has as `stored`.
    public func extent(_ stored: Size3) -> Size3 {
        Size3(stored[axes[0]], stored[axes[1]], stored[axes[2]])
    }

    /// Where the file has a voxel of this order.
    public func stored(_ index: VoxelIndex) -> VoxelIndex {
        var place = [0, 0, 0]
        for (axis, source) in axes.enumerated() { place[source] = index[axis] }
        return VoxelIndex(z: place[0], y: place[1], x: place[2])
    }
}
