/// A size in voxels: depth (z, slowest), height (y), width (x, fastest). Two-dimensional images have depth 1.
public struct Extent: Hashable, Sendable, CustomStringConvertible {
    public var depth: Int
    public var height: Int
    public var width: Int

    public init(_ depth: Int, _ height: Int, _ width: Int) {
        self.depth = depth
        self.height = height
        self.width = width
    }

    public init(cube side: Int) {
        self.init(side, side, side)
    }

    /// Voxels of a box of this size.
    public var count: Int { depth * height * width }

    /// Axis 0 is depth, 1 height, 2 width.
    public subscript(axis: Int) -> Int {
        get {
            switch axis {
            case 0: depth
            case 1: height
            case 2: width
            default: preconditionFailure("axis \(axis) of an extent with three axes")
            }
        }
        set {
            switch axis {
            case 0: depth = newValue
            case 1: height = newValue
            case 2: width = newValue
            default: preconditionFailure("axis \(axis) of an extent with three axes")
            }
        }
    }

    /// Width x height x depth, the order in which NIfTI tools print a shape.
    public var description: String { "\(width) x \(height) x \(depth)" }
}

/// The place of a voxel, or of a box's first voxel; may lie outside a volume where a patch is padded.
public struct VoxelIndex: Hashable, Sendable, CustomStringConvertible {
    public var z: Int
    public var y: Int
    public var x: Int

    public init(z: Int, y: Int, x: Int) {
        self.z = z
        self.y = y
        self.x = x
    }

    /// The voxel at `offset` of an array [z][y][x].
    init(offset: Int, in extent: Extent) {
        self.init(
            z: offset / (extent.height * extent.width),
            y: offset / extent.width % extent.height,
            x: offset % extent.width)
    }

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

/// A half-open box of voxels: `origin ..< origin + extent` on every axis.
public struct VoxelBox: Hashable, Sendable {
    public var origin: VoxelIndex
    public var extent: Extent

    public init(origin: VoxelIndex, extent: Extent) {
        self.origin = origin
        self.extent = extent
    }

    /// The box of size `outer` with this box at its centre; the odd voxel of a difference goes behind.
    public func surrounded(by outer: Extent) -> VoxelBox {
        VoxelBox(
            origin: VoxelIndex(
                z: origin.z - floorHalf(outer.depth - extent.depth),
                y: origin.y - floorHalf(outer.height - extent.height),
                x: origin.x - floorHalf(outer.width - extent.width)),
            extent: outer)
    }
}

/// `floor(n / 2)`, for negative numbers too.
func floorHalf(_ n: Int) -> Int { n >> 1 }
