/// How an activation lies in memory: [slot][phase][channel block][depth][height][width][channel in block].
///
/// With dilation d an image is split into d^3 phases of every d-th voxel (along axes longer than 1), each padded to
/// the largest: a dilated convolution is then an ordinary one over more images, which oneDNN runs at full speed.
struct Layout: Hashable {
    var channels: Int
    var size: Size3
    var dilation: Int
    var instructionSet: InstructionSet

    var block: Int { instructionSet.block }
    var blocks: Int { (channels + block - 1) / block }
    var paddedChannels: Int { blocks * block }
    /// The size of one phase, tail included.
    var extent: Size3 { size.map { (size[$0] + dilation - 1) / dilation } }
    var phases: Int { dilation * dilation * dilation }
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
