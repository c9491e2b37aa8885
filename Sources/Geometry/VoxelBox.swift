/// A half-open box of voxels: from `lower` to before `upper` on every axis.
public struct VoxelBox: Hashable, Sendable {
    public var lower, upper: VoxelIndex

    public init(lower: VoxelIndex, upper: VoxelIndex) {
        (self.lower, self.upper) = (lower, upper)
    }

    public init(origin: VoxelIndex, size: Size3) {
        self.init(lower: origin, upper: VoxelIndex { origin[$0] + size[$0] })
    }

    /// All voxels of an image.
    public init(_ size: Size3) { self.init(origin: .zero, size: size) }

    /// The first voxel, which is `lower`.
    public var origin: VoxelIndex { lower }

    /// The voxels along each axis; none along one where `upper` lies before `lower`.
    public var size: Size3 { Size3(range(0).count, range(1).count, range(2).count) }

    /// The places along one axis: 0 is z, 1 y, 2 x.
    public func range(_ axis: Int) -> Range<Int> { lower[axis]..<max(lower[axis], upper[axis]) }

    /// The smallest box around both.
    public func union(_ other: VoxelBox) -> VoxelBox {
        VoxelBox(
            lower: VoxelIndex { min(lower[$0], other.lower[$0]) },
            upper: VoxelIndex { max(upper[$0], other.upper[$0]) })
    }

    /// The box of size `outer` with this box at its centre; the odd voxel of a difference goes behind.
    public func surrounded(by outer: Size3) -> VoxelBox {
        let size = size
        return VoxelBox(
            origin: VoxelIndex { lower[$0] - floorHalf(outer[$0] - size[$0]) }, size: outer)
    }
}

/// `floor(n / 2)`, for negative numbers too.
public func floorHalf(_ n: Int) -> Int { n >> 1 }
