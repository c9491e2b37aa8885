import Collectives
import Configuration
import Engine
import Logging
import RunFiles
import Sampling

/// The checkpoint that a run goes on from: rank 0 reads it, the others receive.
struct Restoration {
    let logger: Logger
    /// On rank 0 only; nil for a new run.
    let checkpoint: Checkpoint?
    private let path: String
    private let changes: [RunConfiguration.Difference]

    /// Finds and reads it. Collective.
    /// - Throws: the same on all ranks.
    init(
        _ task: TrainingTask, options: TrainingOptions, store: CheckpointStore, logger: Logger,
        communicator: any Communicator
    ) throws {
        self.logger = logger
        let found = try communicator.together {
            communicator.rank == 0 ? try Self.find(options, store: store, logger: logger) : nil
        }
        (checkpoint, path) = (found?.checkpoint, found?.path ?? "")
        changes = try communicator.together {
            guard let found else { return [] }
            let changes = try found.checkpoint.check(against: task.configuration, path: found.path)
            try found.checkpoint.subjects?.check(
                task.names, list: task.configuration.data.list, path: found.path)
            return changes
        }
    }

    private static func find(
        _ options: TrainingOptions, store: CheckpointStore, logger: Logger
    ) throws -> (checkpoint: Checkpoint, path: String)? {
        switch options.resume {
        case .never: return nil
        case .file(let file): return (try Checkpoint(contentsOf: file), file)
        case .automatic:
            guard let found = try store.newest() else { return nil }
            for sentence in found.warnings { logger.warning("\(sentence)") }
            return (found.checkpoint, found.path)
        }
    }

    /// Says where a run goes on with other threads than those that its bits depend on.
    func warnOfThreads(_ threads: Int, _ configuration: RunConfiguration) {
        guard configuration.distributed.reduction == .deterministic, let checkpoint,
            checkpoint.threads != threads
        else { return }
        logger.warning(
            """
            distributed.reduction is deterministic, but '\(path)' was written with \(checkpoint.threads) \
            thread\(checkpoint.threads == 1 ? "" : "s") a rank and this start has \(threads): from here on the bits are not \
            those of a run that never stopped; set threads to \(checkpoint.threads) for that.
            """)
    }

    /// Gives all ranks the checkpoint's state. Collective.
    /// - Returns: the steps done, 0 for a new run.
    /// - Throws: the same on all ranks.
    func restore(
        _ model: Parameters, _ optimizer: any Optimizer, on communicator: any Communicator
    ) throws -> Int {
        try communicator.together {
            if let checkpoint { try take(checkpoint, model, optimizer) }
        }
        let step = Int(try communicator.allReduce(Int64(checkpoint?.step ?? 0), .maximum))
        guard step > 0, communicator.size > 1 else { return step }
        try communicator.broadcast(model.parameters)
        try communicator.broadcast(model.statistics)
        for name in optimizer.stateNames {
            var values = optimizer[state: name]
            try communicator.broadcast(&values, from: 0)
            optimizer[state: name] = values
        }
        return step
    }

    private func take(_ checkpoint: Checkpoint, _ model: Parameters, _ optimizer: any Optimizer) throws {
        let slices = model.parameters.slices
        let parameters = try checkpoint.values(of: slices, path: path)
        let statistics = try checkpoint.values(of: model.statistics.slices, path: path)
        let states = optimizer.stateNames.flatMap { state in slices.map { "\(state)/\($0.name)" } }
        let names = (slices + model.statistics.slices).map(\.name) + states
        try checkpoint.checkNames(Set(names), path: path)
        try optimizer.restore(checkpoint, slices: slices, path: path)
        model.parameters.setValues(parameters)
        model.statistics.setValues(statistics)
        logger.info(
            "Resuming at step \(checkpoint.step) from \(path), which \(counted(checkpoint.ranks, "rank")) wrote."
        )
        for change in changes {
            logger.info("\(change.key) was \(change.other) and is \(change.value) from now on.")
        }
    }
}
