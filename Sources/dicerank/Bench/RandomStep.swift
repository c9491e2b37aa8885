import Collectives
import Configuration
import Engine
import Training

/// A training step on data that cost nothing to get. Collective, as training is.
final class RandomStep {
    let plan: Plan
    /// What the algorithms were chosen by; empty where the configuration names one.
    let timings: [AlgorithmTiming]
    private let optimizer: any Optimizer
    let reducer: GradientReducer
    private let communicator: any Communicator
    private var count = 0

    /// - Parameters:
    ///   - algorithms: of the convolutions; nil to choose them as the configuration says.
    ///   - exchange: what statistics and loss sums go through; nil for the communicator.
    /// - Throws: errors of the network and of memory, and `CommandError` where the ranks do not divide the batch.
    init(
        _ configuration: RunConfiguration, channels: Int, threads: Int, communicator: any Communicator,
        algorithms chosen: AlgorithmChoice? = nil, exchange: (any SlotExchange)? = nil
    ) throws {
        let ranks = communicator.size
        guard configuration.batch % ranks == 0 else {
            throw CommandError("\(ranks) ranks cannot share a batch of \(configuration.batch) equally.")
        }
        let network = try configuration.network.make(
            inputChannels: channels, classes: configuration.data.classes)
        let inputSize = try configuration.patchSize(for: network)
        let graph = network.graph()
        timings =
            configuration.convolution == .auto && chosen == nil
            ? try AlgorithmTiming.measure(
                graph, inputSize: inputSize, slots: configuration.batch / ranks, threads: threads) : []
        var algorithms = chosen ?? AlgorithmChoice(timings)
        algorithms.rule = configuration.convolution
        let slots = configuration.batch / ranks
        let isDeterministic = configuration.distributed.reduction == .deterministic
        self.communicator = communicator
        plan = try Plan(
            training: graph, inputSize: inputSize,
            options: Plan.Options(
                slots: slots, firstSlot: communicator.rank * slots * configuration.accumulate,
                globalSlots: configuration.batch,
                threads: threads,
                batchStatistics: configuration.network.batchNorm,
                algorithms: algorithms, gradientsBySlot: isDeterministic,
                microBatches: configuration.accumulate,
                plansSharingMemory: communicator.ranksOnNode.count),
            loss: configuration.loss.make(), exchange: exchange ?? RankExchange(communicator))
        plan.model.initialise(seed: UInt64(configuration.seed))
        optimizer = configuration.optimizer.make(
            parameterCount: plan.model.parameters.count,
            options: PassOptions(instructionSet: plan.instructionSet, threads: threads))
        reducer = GradientReducer(
            communicator: communicator, arena: plan.model.gradients,
            bucketMebibytes: configuration.distributed.bucketMebibytes, order: configuration.distributed.order
        )
        var random = SystemRandomNumberGenerator()
        for slot in 0..<slots {
            plan.withInput(slot: slot) {
                for i in $0.indices { $0[i] = Float.random(in: -2...2, using: &random) }
            }
            plan.withReference(slot: slot) { for i in $0.indices { $0[i] = i % 50 == 0 ? 1 : 0 } }
        }
    }

    /// The algorithms that rank 0 chooses, which all ranks must run alike; nil on a rank that is alone. Collective.
    static func algorithms(
        _ configuration: RunConfiguration, channels: Int, threads: Int, on communicator: any Communicator
    ) throws -> AlgorithmChoice? {
        guard communicator.size > 1, configuration.convolution == .auto else { return nil }
        let text = try communicator.together { () -> String in
            guard communicator.rank == 0 else { return "" }
            let network = try configuration.network.make(
                inputChannels: channels, classes: configuration.data.classes)
            let timings = try AlgorithmTiming.measure(
                network.graph(), inputSize: try configuration.patchSize(for: network),
                slots: max(1, configuration.batch / communicator.size), threads: threads)
            return AlgorithmChoice(timings).text
        }
        return AlgorithmChoice(text: try communicator.broadcast(text, from: 0))
    }

    func seconds() throws -> Double {
        try communicator.barrier()
        let start = ContinuousClock.now
        count += 1
        // The micro-batches all have the patches that the plan holds.
        let microBatches = MicroBatches(of: plan) { _ in }
        try microBatches.forward()
        _ = try microBatches.loss()
        try microBatches.backward { range in
            try reducer.completed(range)
            try reducer.poll()
        }
        _ = try reducer.finish()
        optimizer.update(plan.model.parameters, gradients: plan.model.gradients, step: count)
        return start.duration(to: .now) / .seconds(1)
    }

    /// A step with the times of its operations.
    func profile() throws -> (operations: [OperationReport], seconds: Double) {
        var operations: [OperationReport] = []
        plan.observer = { operations.append($0) }
        defer { plan.observer = nil }
        let seconds = try seconds()
        return (operations, seconds)
    }

    /// Bytes of parameters, gradients and the optimiser's state.
    var stateBytes: Int {
        (2 + optimizer.stateNames.count) * plan.model.parameters.count * MemoryLayout<Float>.stride
    }
}
