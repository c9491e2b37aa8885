import Engine
import Sampling

extension RunConfiguration {
    /// Depth, height and width in voxels of the patch that the loss is taken on.
    /// - Throws: `NetworkError` or `EngineError` where the network does not take the patch.
    public func effectivePatch() throws -> [Int] {
        let size = try graph().outputSize(inputSize: patchSize)
        return [size.depth, size.height, size.width]
    }

    /// What a step costs in relation to other steps: multiplications and additions of the forward pass of the batch.
    /// - Throws: as ``effectivePatch()``.
    public func stepCost() throws -> Double {
        Double(try graph().forwardFLOPs(inputSize: patchSize)) * Double(batch)
    }

    private var patchSize: Size3 { Size3(patch.size[0], patch.size[1], patch.size[2]) }

    /// Sizes do not depend on the number of channels.
    private func graph() throws -> Graph {
        try network.make(inputChannels: max(1, data.modalities.count), classes: data.classes).graph()
    }
}

extension RunConfiguration {
    /// - Throws: `SlotAssignmentError` where a run on so many ranks would.
    func checkRanks(_ ranks: Int, subjects: Int) throws {
        _ = try SlotAssignment(
            seed: UInt64(seed), subjects: subjects, globalSlots: batch, rank: 0, size: ranks)
    }
}
