import Collectives
import Engine

extension TrainableNetwork {
    /// Copies the patches of one of a step's micro-batches into the network's slots.
    func load(_ patches: some StepPatches, microBatch: Int) {
        for slot in 0..<options.slots {
            let place = slot * options.microBatches + microBatch
            patches.withImages(slot: place) { images in
                withInput(slot: slot) { input in
                    precondition(
                        input.count == images.count, "\(images.count) voxels for an input of \(input.count)")
                    _ = input.update(fromContentsOf: images)
                }
            }
            patches.withReference(slot: place) { labels in
                withReference(slot: slot) { reference in
                    precondition(
                        reference.count == labels.count,
                        "\(labels.count) labels for an output of \(reference.count)")
                    _ = reference.update(fromContentsOf: labels)
                }
            }
            guard patches.softClasses > 0 else { continue }
            patches.withSoftReference(slot: place) { probabilities in
                withSoftReference(slot: slot) { reference in
                    precondition(
                        reference.count == probabilities.count,
                        "\(probabilities.count) probabilities for an output of \(reference.count)")
                    _ = reference.update(fromContentsOf: probabilities)
                }
            }
        }
    }
}

extension GradientReducer {
    /// Reduces a whole arena, which it keeps alive.
    public convenience init(
        communicator: any Communicator, arena: ParameterArena, bucketMebibytes: Double?, order: Order = .any
    ) {
        self.init(
            communicator: communicator, gradients: arena.hostMemory, owner: arena,
            bucketMiB: bucketMebibytes, order: order)
    }
}

extension Communicator {
    /// Gives all ranks the values of rank 0.
    func broadcast(_ arena: ParameterArena) throws {
        try arena.withUnsafeMutableBuffer { try broadcast(UnsafeMutableRawBufferPointer($0), from: 0) }
    }
}
