import Engine
import Geometry
import Networks

extension RunConfiguration {
    /// Depth, height and width in voxels of the patch that the loss is taken on.
    /// - Throws: `NetworkError` or `EngineError` where the network does not take the patch.
    public func effectivePatch() throws -> [Int] {
        let network = try shape()
        let size = try network.graph().outputSize(inputSize: patchSize(for: network))
        return [size.depth, size.height, size.width]
    }

    /// Depth, height and width in voxels of the network's input: one voxel deep for a network of slices.
    /// - Throws: as ``effectivePatch()``.
    public func inputPatch() throws -> [Int] {
        let size = try patchSize(for: shape())
        return [size.depth, size.height, size.width]
    }

    /// What a step costs in relation to other steps: multiplications and additions of the forward pass of its
    /// patches.
    /// - Throws: as ``effectivePatch()``.
    public func stepCost() throws -> Double {
        let network = try shape()
        return Double(try network.graph().forwardFLOPs(inputSize: patchSize(for: network)))
            * Double(stepPatches)
    }

    /// Sizes do not depend on the number of channels.
    private func shape() throws -> any Networks.Network {
        try network.make(inputChannels: max(1, data.modalities.count), classes: data.classes)
    }
}
