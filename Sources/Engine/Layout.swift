/// How an activation lies in memory: [slot][phase][channel block][depth][height][width][channel in block].
///
/// With dilation d an image is split into phases of every d-th voxel along each axis, each padded to the largest: a
/// dilated convolution is then an ordinary one over more images. A 2D image, of depth 1, is not split along depth.
struct Layout: Hashable {
    var channels: Int
    var size: Size3
    var dilation: Int
    /// Whether the network's images are 2D.
    var planar: Bool
    var instructionSet: InstructionSet

    var block: Int { instructionSet.block }
    var blocks: Int { (channels + block - 1) / block }
    var paddedChannels: Int { blocks * block }
    /// The size of one phase, tail included.
    var extent: Size3 { size.map { (size[$0] + steps[$0] - 1) / steps[$0] } }
    /// Between neighbours of a phase.
    var steps: Size3 { Size3(planar ? 1 : dilation, dilation, dilation) }
    var phases: Int { steps.count }
    /// Floats of one slot.
    var floatsPerSlot: Int { phases * blocks * extent.count * block }
    /// Whether some phases end in voxels that are not of the image.
    var hasTail: Bool { phases * extent.count > size.count }

    func with(dilation: Int) -> Layout {
        var other = self
        other.dilation = dilation
        return other
    }
}
