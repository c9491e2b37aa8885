import Geometry

/// Chooses where patches are drawn from a subject.
public protocol PatchSampler: Sendable {
    /// Finds once a subject all positions that the sampler may draw.
    ///
    /// - Parameters:
    ///   - reference: class indices, [z][y][x].
    ///   - extent: the volume's size.
    ///   - effective: the size of the patch that the loss is taken on, the centre of the network's input.
    func positions(in reference: [UInt8], extent: Size3, effective: Size3) -> any PatchPositions
}

/// The positions of one subject that a sampler draws from.
public protocol PatchPositions: Sendable {
    /// Number of positions; 0 where the subject cannot be sampled.
    var count: Int { get }
    /// Memory that the positions take.
    var byteCount: Int { get }
    /// The first voxel of an effective patch. Only asked where `count` is not 0.
    func draw(_ random: inout CounterRandom) -> VoxelIndex
}

/// The samplers that a configuration can name.
public enum SamplerKind: String, Sendable, CaseIterable {
    /// Patches that hold foreground (the paper's rule).
    case foreground
    /// Any patch.
    case uniform
    /// Patches that hold a class that is drawn first.
    case balanced

    public var sampler: any PatchSampler {
        switch self {
        case .foreground: ForegroundSampler()
        case .uniform: UniformSampler()
        case .balanced: BalancedSampler()
        }
    }
}

/// What to do with a subject in which a sampler finds no position.
public enum NoForegroundRule: String, Sendable, CaseIterable {
    /// Stop with the subject's name.
    case error
    /// Draw from another subject of the slot, and say so once.
    case skip
    /// Draw uniformly from it: a patch of background, and say so once.
    case uniform
}

/// Uniform over all positions whose effective patch holds at least one foreground voxel (class > 0).
///
/// Every position has the same chance. Picking a foreground voxel first would favour large lesions.
public struct ForegroundSampler: PatchSampler {
    public init() {}

    public func positions(in reference: [UInt8], extent: Size3, effective: Size3) -> any PatchPositions {
        AdmissiblePositions(in: reference, extent: extent, effective: effective) { $0 != 0 }
    }
}

/// Uniform over all positions.
public struct UniformSampler: PatchSampler {
    public init() {}

    public func positions(in reference: [UInt8], extent: Size3, effective: Size3) -> any PatchPositions {
        AllPositions(grid: PositionGrid(volume: extent, effective: effective))
    }
}

/// Draws a class first, uniformly among those that the reference holds, then a position uniformly among those
/// whose effective patch holds at least one voxel of that class. With two classes, half of the draws are
/// those of `ForegroundSampler` and half are uniform over all patches that hold background.
public struct BalancedSampler: PatchSampler {
    public init() {}

    public func positions(in reference: [UInt8], extent: Size3, effective: Size3) -> any PatchPositions {
        var isPresent = [Bool](repeating: false, count: 256)
        for label in reference { isPresent[Int(label)] = true }
        let classes = (0..<256).filter { isPresent[$0] }
        return ClassPositions(
            ofClass: classes.map { wanted in
                AdmissiblePositions(in: reference, extent: extent, effective: effective) {
                    $0 == UInt8(wanted)
                }
            })
    }
}

/// The positions that an effective patch can take in a volume.
///
/// The patch lies inside the volume; the network's input around it may reach outside, where it is padded. On
/// an axis on which the volume is smaller than the patch there is one position, with the volume at the
/// patch's centre: its first voxel has a negative index.
struct PositionGrid: Hashable, Sendable {
    /// Number of positions on each axis; at least 1.
    let extent: Size3
    /// The first position.
    let first: VoxelIndex

    init(volume: Size3, effective: Size3) {
        func positions(_ axis: Int) -> Int { max(0, volume[axis] - effective[axis]) + 1 }
        func start(_ axis: Int) -> Int { -floorHalf(max(0, effective[axis] - volume[axis])) }
        extent = Size3(positions(0), positions(1), positions(2))
        first = VoxelIndex(z: start(0), y: start(1), x: start(2))
    }

    subscript(offset: Int) -> VoxelIndex {
        let index = VoxelIndex(offset: offset, in: extent)
        return VoxelIndex(z: index.z + first.z, y: index.y + first.y, x: index.x + first.x)
    }
}

private struct AllPositions: PatchPositions {
    let grid: PositionGrid
    var count: Int { grid.extent.count }
    var byteCount: Int { MemoryLayout<Self>.size }

    func draw(_ random: inout CounterRandom) -> VoxelIndex {
        grid[random.integer(below: count)]
    }
}

private struct ClassPositions: PatchPositions {
    /// Of the classes that are present; none is empty.
    let ofClass: [AdmissiblePositions]
    var count: Int { ofClass.reduce(0) { $0 + $1.count } }
    var byteCount: Int { ofClass.reduce(0) { $0 + $1.byteCount } }

    func draw(_ random: inout CounterRandom) -> VoxelIndex {
        ofClass[random.integer(below: ofClass.count)].draw(&random)
    }
}
