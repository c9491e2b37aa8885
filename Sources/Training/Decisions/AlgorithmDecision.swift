import Collectives
import Configuration
import Engine
import Logging
import RunFiles

/// Decides by which algorithm each convolution runs: rank 0 for all, so that replicas stay equal.
struct AlgorithmDecision {
    private let task: TrainingTask
    private let restoration: Restoration
    /// Of a rank.
    private let slots: Int, threads: Int

    init(_ task: TrainingTask, restoration: Restoration, slots: Int, threads: Int) {
        (self.task, self.restoration, self.slots, self.threads) = (task, restoration, slots, threads)
    }

    /// Collective.
    /// - Throws: the same on all ranks.
    func choose(on communicator: any Communicator) throws -> AlgorithmChoice {
        if let configured = task.configuration.configuredAlgorithms { return configured }
        let text = try communicator.together { communicator.rank == 0 ? try decide().text : "" }
        let all = try communicator.allGatherVariable(Array(text.utf8))
        return AlgorithmChoice(text: String(decoding: all[0], as: UTF8.self))
    }

    private func decide() throws -> AlgorithmChoice {
        if let known = restoration.checkpoint?.algorithms, !known.isEmpty {
            return AlgorithmChoice(text: known)
        }
        let start = ContinuousClock.now
        let timings = try AlgorithmTiming.measure(
            task.graph, inputSize: task.patchSize, slots: slots, threads: threads)
        for timing in timings {
            let times = timing.candidates.map { "\($0.algorithm) \($0.total.milliseconds) ms" }
            restoration.logger.debug(
                "\(timing.names.joined(separator: ", ")): \(times.joined(separator: ", "))")
        }
        let choice = AlgorithmChoice(timings)
        restoration.logger.info(
            """
            Convolutions were timed for \(start.duration(to: .now).milliseconds) ms: \
            \(choice.named.values.count { $0 == .winograd }) run by Winograd's algorithm, \
            \(choice.named.values.count { $0 == .direct }) directly
            """)
        return choice
    }
}

extension RunConfiguration {
    /// The algorithms of the convolutions where the configuration decides them; nil where they are timed.
    var configuredAlgorithms: AlgorithmChoice? {
        switch convolution {
        case .direct: AlgorithmChoice(.direct)
        case .winograd: AlgorithmChoice(.winograd)
        // What a clock decides is not the same in two runs.
        case .auto: distributed.reduction == .deterministic ? AlgorithmChoice(.winograd) : nil
        }
    }
}

extension Checkpoint {
    /// The algorithms by which the run that wrote it computes its convolutions.
    /// - Throws: ``ConfigurationError`` when another version wrote keys that this one does not know.
    public func algorithmChoice() throws(ConfigurationError) -> AlgorithmChoice {
        try configuration().configuredAlgorithms ?? AlgorithmChoice(text: algorithms)
    }
}

extension AlgorithmChoice {
    /// `<name> <algorithm>` a line, as checkpoints keep it and ranks send it.
    public var text: String {
        named.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.rawValue)" }.joined(separator: "\n")
    }

    /// Lines that say nothing known are passed over: the rule decides for their convolutions.
    public init(text: String) {
        self.init()
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 2 { named[words[0]] = ConvolutionAlgorithm(rawValue: words[1]) }
        }
    }
}

extension Duration {
    /// Rounded.
    var milliseconds: Int { Int((self / .milliseconds(1)).rounded()) }
}
