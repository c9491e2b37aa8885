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
    private let slots: Int
    private let device: any Device

    init(_ task: TrainingTask, restoration: Restoration, slots: Int, device: any Device) {
        (self.task, self.restoration, self.slots, self.device) = (task, restoration, slots, device)
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
        let timings = try device.timeAlgorithms(
            of: task.graph, inputSize: task.patchSize, slots: slots)
        for timing in timings {
            let times = timing.candidates.map { "\($0.algorithm) \($0.total.milliseconds) ms" }
            restoration.logger.debug(
                "\(timing.names.joined(separator: ", ")): \(times.joined(separator: ", "))")
        }
        let choice = AlgorithmChoice(timings)
        restoration.logger.debug(
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

extension Duration {
    /// Rounded.
    var milliseconds: Int { Int((self / .milliseconds(1)).rounded()) }
}
