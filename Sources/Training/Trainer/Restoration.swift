import Collectives
import Engine
import Foundation
import Logging
import SystemPackage

/// The run directory before the first step.
enum RunFolder {
    /// Makes it; refuses one that a run from step 0 would overwrite.
    static func create(_ options: TrainingOptions, store: CheckpointStore) throws {
        if options.resume == .never, let last = store.list().last {
            throw TrainingError.runExists(folder: options.runFolder, step: last.step)
        }
        do {
            try FileManager.default.createDirectory(
                atPath: options.runFolder, withIntermediateDirectories: true)
        } catch {
            throw FileError("the folder '\(options.runFolder)' could not be made", Errno(foundation: error))
        }
    }
}

/// Takes a run's state from a checkpoint: rank 0 reads, the others receive.
struct Restoration {
    let configuration: RunConfiguration
    let options: TrainingOptions
    let store: CheckpointStore
    let model: Parameters
    let optimizer: any Optimizer
    let logger: Logger

    /// Collective.
    /// - Returns: the steps done, 0 for a new run.
    /// - Throws: the same on all ranks.
    func restore(on communicator: any Communicator) throws -> Int {
        let own = try communicator.together { communicator.rank == 0 ? try restoreHere() : 0 }
        let step = Int(try communicator.allReduce(Int64(own), .maximum))
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

    private func restoreHere() throws -> Int {
        let checkpoint: Checkpoint
        let path: String
        switch options.resume {
        case .never: return 0
        case .file(let file):
            checkpoint = try Checkpoint(contentsOf: file)
            path = file
        case .automatic:
            guard let found = try store.newest() else { return 0 }
            for sentence in found.warnings { logger.warning("\(sentence)") }
            checkpoint = found.checkpoint
            path = found.path
        }
        let changes = try checkpoint.check(against: configuration, path: path)
        try take(checkpoint, path: path)
        logger.info(
            "Resuming at step \(checkpoint.step) from \(path), which \(checkpoint.ranks) ranks wrote.")
        for change in changes {
            logger.info("\(change.key) was \(change.other) and is \(change.value) from now on.")
        }
        return checkpoint.step
    }

    private func take(_ checkpoint: Checkpoint, path: String) throws {
        let slices = model.parameters.slices
        let parameters = try checkpoint.values(of: slices, path: path)
        let statistics = try checkpoint.values(of: model.statistics.slices, path: path)
        let states = optimizer.stateNames.flatMap { state in slices.map { "\(state)/\($0.name)" } }
        let names = (slices + model.statistics.slices).map(\.name) + states
        try checkpoint.checkNames(Set(names), path: path)
        try optimizer.restore(checkpoint, slices: slices, path: path)
        model.parameters.setValues(parameters)
        model.statistics.setValues(statistics)
    }
}
