import Collectives
import Configuration
import Engine
import Training

/// Training's step on patches that cost nothing to get. Collective, as training is.
final class RandomStep {
    let step: TrainingStep
    /// What the algorithms were chosen by; empty where the configuration names one.
    let timings: [AlgorithmTiming]
    private let patches: RandomPatches
    private let communicator: any Communicator
    private var count = 0

    /// - Parameters:
    ///   - algorithms: of the convolutions; nil to choose them as the configuration says.
    ///   - exchange: what statistics and loss sums go through; nil for the communicator.
    /// - Throws: errors of the network and of memory, and `CommandError` where the ranks do not divide the
    ///   batch.
    init(
        _ configuration: RunConfiguration, channels: Int, device: any Device, communicator: any Communicator,
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
            ? try device.timeAlgorithms(
                of: graph, inputSize: inputSize, slots: configuration.batch / ranks) : []
        var algorithms = chosen ?? AlgorithmChoice(timings)
        algorithms.rule = configuration.convolution
        self.communicator = communicator
        step = try TrainingStep(
            configuration, graph: graph, inputSize: inputSize, loss: configuration.loss.make(),
            algorithms: algorithms, device: device, communicator: communicator,
            exchange: exchange ?? RankExchange(communicator))
        patches = RandomPatches(channels: channels, inputSize: inputSize, outputSize: step.outputSize)
    }

    /// The algorithms that rank 0 chooses, which all ranks must run alike; nil on a rank that is alone.
    /// Collective.
    static func algorithms(
        _ configuration: RunConfiguration, channels: Int, device: any Device,
        on communicator: any Communicator
    ) throws -> AlgorithmChoice? {
        guard communicator.size > 1, configuration.convolution == .auto else { return nil }
        let text = try communicator.together { () -> String in
            guard communicator.rank == 0 else { return "" }
            let network = try configuration.network.make(
                inputChannels: channels, classes: configuration.data.classes)
            let timings = try device.timeAlgorithms(
                of: network.graph(), inputSize: try configuration.patchSize(for: network),
                slots: max(1, configuration.batch / communicator.size))
            return AlgorithmChoice(timings).text
        }
        return AlgorithmChoice(text: try communicator.broadcast(text, from: 0))
    }

    /// Takes a step, which begins on all ranks at the same time.
    func seconds() throws -> Double {
        try communicator.barrier()
        let start = ContinuousClock.now
        count += 1
        _ = try step.agree(StepAgreement(), step: count)
        _ = try step.run(patches, step: count)
        return start.secondsToNow
    }

    /// A step with the times of its operations.
    func profile() throws -> (operations: [OperationReport], seconds: Double) {
        var operations: [OperationReport] = []
        step.observer = { operations.append($0) }
        defer { step.observer = nil }
        let seconds = try seconds()
        return (operations, seconds)
    }
}
