import Collectives
import Configuration
import Engine
import Geometry

/// One optimiser step of a network on the ranks of a communicator, as training takes it and `bench` times it.
///
/// It owns all that a step needs: the compiled network with its parameters and gradients, the exchange and
/// the reduction over the ranks, the optimiser, and the rules for gradients that are long or not finite. It
/// belongs to the thread that made it.
public final class TrainingStep {
    let configuration: RunConfiguration
    let communicator: any Communicator
    let phases: PhaseObservers
    let optimizer: any Engine.Optimizer
    /// Sums the gradients over the ranks.
    public let reducer: GradientReducer
    /// Where the network runs and parameters are updated.
    public let device: any Device
    private let network: any TrainableNetwork
    /// Steps in a row that were not finite and changed nothing.
    private var skippedInARow = 0

    /// Compiles the network for the configuration's batch, of which each rank takes an equal part, and draws
    /// its parameters. Not collective.
    /// - Parameters:
    ///   - inputSize: of a patch.
    ///   - algorithms: of the convolutions, the same on all ranks.
    ///   - device: where the network runs, on the calling thread.
    ///   - exchange: what statistics of batch norm and sums of the loss go through.
    ///   - phases: who hears of the phases of a step.
    /// - Throws: `EngineError` where the patch is too small or memory does not suffice.
    public init(
        _ configuration: RunConfiguration, graph: Graph, inputSize: Size3, loss: any SegmentationLoss,
        algorithms: AlgorithmChoice, device: any Device, communicator: any Communicator,
        exchange: any SlotExchange, phases: PhaseObservers = PhaseObservers()
    ) throws {
        let (batch, ranks) = (configuration.batch, communicator.size)
        precondition(batch % ranks == 0, "a batch of \(batch) on \(ranks) ranks")
        self.configuration = configuration
        self.communicator = communicator
        self.phases = phases
        self.device = device
        network = try device.compile(
            training: graph, inputSize: inputSize,
            options: StepOptions(
                slots: batch / ranks, firstSlot: communicator.rank * (configuration.stepPatches / ranks),
                globalSlots: batch, microBatches: configuration.accumulate,
                batchStatistics: configuration.network.batchNorm,
                gradientsBySlot: configuration.distributed.reduction == .deterministic,
                networksSharingMemory: communicator.ranksOnNode.count),
            algorithms: algorithms, loss: loss, exchange: exchange, model: Parameters(graph: graph))
        network.model.initialise(seed: UInt64(configuration.seed))
        optimizer = configuration.optimizer.make(for: network.model.parameters, on: device)
        reducer = GradientReducer(
            communicator: communicator, arena: network.model.gradients,
            bucketMebibytes: configuration.distributed.bucketMebibytes,
            order: configuration.distributed.order)
    }

    // MARK: What it consists of

    /// Parameters, gradients and running statistics.
    public var model: Parameters { network.model }
    /// Of a patch.
    public var inputSize: Size3 { network.inputSize }
    /// Of the part of a patch that the loss is taken on.
    public var outputSize: Size3 { network.outputSize }
    /// By which the convolutions run.
    public var algorithms: AlgorithmChoice { network.algorithms }
    /// The convolutions with the algorithm of each, one a line.
    public var summary: String { network.summary }
    /// Bytes of activations, gradients and patches, the parameters not counted.
    public var activationBytes: Int { network.peakBytes }
    /// Bytes of parameters, gradients and the optimiser's state.
    public var stateBytes: Int {
        (2 + optimizer.stateNames.count) * model.parameters.count * MemoryLayout<Float>.stride
    }
    /// Is told of every operation of the network that has run.
    public var observer: ((OperationReport) -> Void)? {
        get { network.observer }
        set { network.observer = newValue }
    }
    /// Patches of a rank in a micro-batch.
    var slots: Int { network.options.slots }

    // MARK: A step

    /// What a step gave.
    public struct Outcome {
        /// Of the global batch, equal on all ranks.
        public let report: BatchReport
        public let reduction: ReductionTimes
        /// Why the step changed nothing; nil for one that did.
        public let skipped: TrainingError?
    }

    /// Tells all ranks whether one of them was told to stop or has failed. Collective; comes before each
    /// step.
    public func agree(_ own: StepAgreement, step: Int) throws -> StepAgreement {
        try phases.run(.waitingForRanks, step: step) { try own.among(communicator) }
    }

    /// Takes a step. Collective.
    /// - Parameters:
    ///   - patches: of this rank's slots.
    ///   - step: its number, from 1.
    /// - Throws: errors of MPI, and ``TrainingError/notFinite(step:what:)`` where the configuration says to
    ///   stop, or after ten such steps in a row.
    public func run(_ patches: some StepPatches, step: Int) throws -> Outcome {
        let statisticsBefore = skipsNotFinite ? model.statistics.values : []
        let parts = microBatches(of: patches, step: step)
        try phases.run(.forward, step: step) { try parts.forward() }
        let report = try phases.run(.loss, step: step) { try parts.loss() }
        try phases.run(.gradients, step: step) {
            try parts.backward { range in
                try reducer.completed(range)
                try reducer.poll()
            }
        }
        let reduction = try phases.run(.reduction, step: step) { try reducer.finish() }
        let skipped = try phases.run(.update, step: step) {
            let fault = try faultToSkip(report, patches, step: step, statisticsBefore)
            if fault == nil { update(step: step) }
            return fault
        }
        return Outcome(report: report, reduction: reduction, skipped: skipped)
    }

    /// A step as the micro-batches of `accumulate`, their patches copied from `patches` one after the other.
    private func microBatches(of patches: some StepPatches, step: Int) -> MicroBatches {
        let count = network.options.microBatches
        return MicroBatches(of: network, seed: UInt64(configuration.seed), step: step) {
            [network, phases] index in
            if count > 1 { phases.begin(.microBatch(index + 1, of: count), step: step) }
            phases.run(.loadingPatches, step: step) { network.load(patches, microBatch: index) }
        }
    }

    /// Shortens the gradient to the configured norm and moves the parameters.
    private func update(step: Int) {
        if let longest = configuration.optimizer.clip {
            phases.run(.clippingGradients, step: step) {
                let norm = device.norm(model.gradients)
                if norm > longest { device.scale(model.gradients, by: Float(longest / norm)) }
            }
        }
        phases.run(.optimiser, step: step) {
            optimizer.update(model.parameters, gradients: model.gradients, step: step)
        }
    }

    // MARK: Steps that are not finite

    private var skipsNotFinite: Bool { configuration.optimizer.nonFinite == .skip }

    /// Looks whether the step may change the parameters: not where the loss or a gradient is not finite.
    /// Batch norm's running statistics are put back then.
    /// - Returns: why the step is skipped; nil for one that is finite.
    /// - Throws: ``TrainingError/notFinite(step:what:)`` where the configuration does not say to skip such
    ///   steps, and after ten of them in a row.
    private func faultToSkip(
        _ report: BatchReport, _ patches: some StepPatches, step: Int, _ statisticsBefore: [Float]
    ) throws -> TrainingError? {
        do {
            try checkFinite(report, patches, step: step)
            skippedInARow = 0
            return nil
        } catch let error as TrainingError where skipsNotFinite {
            skippedInARow += 1
            model.statistics.setValues(statisticsBefore)
            // Beside a gradient that is not finite, what rounding took from another can be too large to go on
            // with.
            reducer.forgetResiduals()
            guard skippedInARow < 10 else { throw error }
            return error
        }
    }
}
