/// The place of a voxel, or of a box's first voxel; may lie outside a volume where a patch is padded.
public struct VoxelIndex: Hashable, Sendable, CustomStringConvertible {
    public var z, y, x: Int

    public init(z: Int, y: Int, x: Int) {
        (self.z, self.y, self.x) = (z, y, x)
    }

    /// The place whose every axis is `component` of the axis's number.
    public init(_ component: (_ axis: Int) -> Int) {
        self.init(z: component(0), y: component(1), x: component(2))
    }

    /// The voxel at `offset` of an array [z][y][x].
    public init(offset: Int, in size: Size3) {
        self.init(
            z: offset / (size.height * size.width),
            y: offset / size.width % size.height,
            x: offset % size.width)
    }

    /// The first voxel of an image.
    public static let zero = VoxelIndex(z: 0, y: 0, x: 0)

    /// Axis 0 is z, 1 y, 2 x.
    public subscript(axis: Int) -> Int {
        switch axis {
        case 0: z
        case 1: y
        case 2: x
        default: preconditionFailure("axis \(axis) of an index with three axes")
        }
    }

    /// As NIfTI viewers show it: (x, y, z), counted from 0.
    public var description: String { "(\(x), \(y), \(z))" }
}
