/// One step of a plan on more patches than it holds: micro-batch after micro-batch, their gradients added.
///
/// Loss, report and gradient are those of one batch of all patches, except that batch normalisation takes its statistics
/// over a micro-batch. With one micro-batch it is a plain step of the plan.
///
/// A loss of each patch alone takes one pass a micro-batch: backward follows forward. A loss of pooled sums has a gradient
/// only when all sums are there: forward runs over all micro-batches first and again before each backward, but for
/// the one that is at hand.
public struct MicroBatches {
    private let plan: Plan
    private let seed: UInt64, step: Int
    private let load: (Int) throws -> Void

    private var count: Int { plan.options.microBatches }

    /// - Parameters:
    ///   - seed: Dropout is drawn from it, `step` and the slot of the step.
    ///   - load: Writes patches and references of the micro-batch with this number, 0 ..< `microBatches`, into the plan:
    ///     slot i of the plan is the step's slot `firstSlot + i * microBatches + number`. It is asked for one a second
    ///     time where forward runs again, and must write the same.
    public init(of plan: Plan, seed: UInt64 = 0, step: Int = 0, load: @escaping (Int) throws -> Void) {
        (self.plan, self.seed, self.step, self.load) = (plan, seed, step, load)
    }

    /// Runs the network up to where the loss of the step can be formed.
    public func forward() throws {
        switch plan.pooling {
        case .image:
            for index in 0..<count - 1 {
                try forward(index)
                plan.addSums()
                try plan.carryGradients(isFirst: index == 0)
            }
            try forward(count - 1)
        case .batch:
            // Down to the first, so that it is at hand when backward begins with it.
            for index in (0..<count).reversed() {
                try forward(index)
                if index > 0 { plan.addSums() }
            }
        }
    }

    private func forward(_ index: Int, isFirst: Bool = true) throws {
        try load(index)
        try plan.forward(seed: seed, step: step, microBatch: index, isFirst: isFirst)
    }

    /// The loss over the slots of all ranks and micro-batches; a collective call where the plan has an exchange.
    public func loss() throws -> BatchReport { try plan.loss() }

    /// Gradients of the step's loss into the model's, from this rank's slots: ranks add theirs up.
    /// - Parameter completed: As in ``Plan/backward(_:)``, during the last micro-batch's backward.
    public func backward(_ completed: (Range<Int>) throws -> Void = { _ in }) throws {
        if plan.pooling == .batch {
            for index in 0..<count - 1 {
                try plan.carryGradients(isFirst: index == 0)
                try forward(index + 1, isFirst: false)
                plan.softmax()
            }
        }
        try plan.backward(completed)
    }
}

extension Plan {
    /// Runs backward of a micro-batch that others follow and adds its gradients to what is carried on to them.
    func carryGradients(isFirst: Bool) throws {
        try eachFinalRange { range in
            for (sum, gradients) in zip(context.carriedGradients, context.writtenGradients) {
                if isFirst { sum.copy(gradients, range) } else { sum.add(gradients, range) }
            }
        }
    }

    /// The sum over all micro-batches of a range that is final in the last one, where gradients are written.
    func addCarried(_ range: Range<Int>) {
        for (sum, gradients) in zip(context.carriedGradients, context.writtenGradients) {
            gradients.add(sum, range)
        }
    }
}
