/// One step of a network on more patches than it holds: micro-batch after micro-batch, their gradients added.
///
/// Loss, report and gradient are those of one batch of all patches, except that batch normalisation takes its
/// statistics over a micro-batch. With one micro-batch it is a plain step of the network.
///
/// A loss of each patch alone takes one pass a micro-batch: backward follows forward. A loss of pooled sums
/// has a gradient only when all sums are there: forward runs over all micro-batches first and again before
/// each backward, but for the one that is at hand.
public struct MicroBatches {
    private let network: any TrainableNetwork
    private let seed: UInt64, step: Int
    private let load: (Int) throws -> Void

    private var count: Int { network.options.microBatches }

    /// - Parameters:
    ///   - seed: Dropout is drawn from it, `step` and the slot of the step.
    ///   - load: Writes patches and references of the micro-batch with this number, 0 ..< `microBatches`,
    ///     into the network: slot i of the network is the step's slot `firstSlot + i * microBatches +
    ///     number`. It is asked for one a second time where forward runs again, and must write the same.
    public init(
        of network: any TrainableNetwork, seed: UInt64 = 0, step: Int = 0,
        load: @escaping (Int) throws -> Void
    ) {
        (self.network, self.seed, self.step, self.load) = (network, seed, step, load)
    }

    /// Runs the network up to where the loss of the step can be formed.
    public func forward() throws {
        switch network.pooling {
        case .image:
            for index in 0..<count - 1 {
                try forward(index)
                network.addSums()
                try network.carryGradients(isFirst: index == 0)
            }
            try forward(count - 1)
        case .batch:
            // Down to the first, so that it is at hand when backward begins with it.
            for index in (0..<count).reversed() {
                try forward(index)
                if index > 0 { network.addSums() }
            }
        }
    }

    private func forward(_ index: Int, isFirst: Bool = true) throws {
        try load(index)
        try network.forward(seed: seed, step: step, microBatch: index, isFirst: isFirst)
    }

    /// The loss over the slots of all ranks and micro-batches; a collective call where the network has an
    /// exchange.
    public func loss() throws -> BatchReport { try network.loss() }

    /// Gradients of the step's loss into the model's, from this rank's slots: ranks add theirs up.
    /// - Parameter completed: As in ``TrainableNetwork/backward(_:)``, during the last micro-batch's
    ///   backward.
    public func backward(_ completed: (Range<Int>) throws -> Void = { _ in }) throws {
        if network.pooling == .batch {
            for index in 0..<count - 1 {
                try network.carryGradients(isFirst: index == 0)
                try forward(index + 1, isFirst: false)
                network.softmax()
            }
        }
        try network.backward(completed)
    }
}
