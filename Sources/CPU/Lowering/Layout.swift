import Engine
import Geometry

/// How an activation lies in memory: [slot][channel block][depth][height][width][channel in block].
///
/// With dilation d an axis of positions holds the voxels 0, d, 2 d, ..., then a gap, then 1, d + 1, ..., and
/// so on: a dilated convolution becomes an ordinary one in which the gaps stand for the zeros around the
/// image, shared by two neighbours. A 2D image, of depth 1, is not split along depth.
struct Layout: Hashable {
    var channels: Int
    /// Voxels an axis.
    var size: Size3
    var dilation: Int
    /// Positions between two runs of voxels, an axis.
    var gap: Size3
    /// Whether the network's images are 2D.
    var planar: Bool
    var instructionSet: InstructionSet

    var block: Int { instructionSet.block }
    var blocks: Int { (channels + block - 1) / block }
    var paddedChannels: Int { blocks * block }
    /// Voxels from one neighbour to the next, an axis.
    var steps: Size3 { Size3(planar ? 1 : dilation, dilation, dilation) }
    /// Positions an axis, gaps included.
    var extent: Size3 { Size3 { size[$0] + (steps[$0] - 1) * gap[$0] } }
    /// Floats of one slot.
    var floatsPerSlot: Int { blocks * extent.count * block }
    var hasGaps: Bool { extent != size }

    /// The position of each voxel of an axis.
    func positions(_ axis: Int) -> [Int] {
        let (size, step) = (size[axis], steps[axis])
        var positions = [Int](repeating: 0, count: size)
        var next = 0
        for phase in 0..<step {
            for voxel in stride(from: phase, to: size, by: step) {
                positions[voxel] = next
                next += 1
            }
            next += gap[axis]
        }
        return positions
    }

    /// The same image in another order.
    func with(dilation: Int, gap: Size3) -> Layout {
        var other = self
        (other.dilation, other.gap) = (dilation, dilation == 1 ? Size3(0, 0, 0) : gap)
        return other
    }

    /// Another image in this order.
    func with(channels: Int, size: Size3) -> Layout {
        var other = self
        (other.channels, other.size) = (channels, size)
        return other
    }
}
