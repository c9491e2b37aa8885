import Collectives
import Configuration
import RunFiles

/// Trains a network on the ranks of a communicator and keeps the run's directory. Rank 0 writes.
///
/// A training is a setup (``TrainingSetup``), a loop (``TrainingLoop``) and an ending (``TrainingEnding``).
///
/// ```swift
/// let summary = try World.run { communicator in
///     try Trainer(configuration, options: TrainingOptions(runFolder: "run"), communicator:
///     communicator).run()
/// }
/// ```
public final class Trainer {
    let prepared: PreparedRun

    /// Reads the list, compiles the network and restores a checkpoint. Collective.
    ///
    /// The compiled network belongs to the calling thread, which must be the one that runs.
    /// - Throws: the same on all ranks: errors of the list, the network, memory, files, checkpoints, and
    ///   ``TrainingError``.
    public init(
        _ configuration: RunConfiguration, options: TrainingOptions, communicator: any Communicator,
        console: Console = Console()
    ) throws {
        prepared = try TrainingSetup(configuration: configuration, options: options, console: console)
            .prepare(on: communicator)
    }

    /// Optimiser steps done in all.
    public var stepsDone: Int { prepared.progress.stepsDone }

    /// The signal by which the run stopped before its end, equal on all ranks; nil for none.
    public var stopSignal: Int32? { prepared.progress.stopSignal }

    /// Whether nothing is left to do: all steps are done, and the held-out subjects scored where that is due.
    /// Equal on all ranks; of use after ``run()``.
    public var isComplete: Bool { prepared.isComplete }

    /// Trains up to the configured number of steps, or until a signal asks to stop, and scores the held-out
    /// subjects where that is due. Collective.
    /// - Returns: the run's summary; nil where no step was done: see ``isComplete``.
    /// - Throws: errors of data, files and MPI, and ``TrainingError/notFinite(step:what:)``.
    public func run() throws -> RunSummary? {
        defer { prepared.instruments.watchdog.stop() }
        let (firstStep, steps) = (prepared.progress.firstStep, prepared.configuration.steps)
        prepared.phases.begin(.preparing, step: firstStep)
        Announcement(prepared).announce()
        let ending = TrainingEnding(run: prepared)
        guard firstStep < steps || prepared.evaluationIsDue(after: firstStep) else {
            if prepared.timeline != nil { prepared.logger.notice("No timeline is written.") }
            try ending.noteCompletion(nil)
            return nil
        }
        let summary: RunSummary?
        do {
            if firstStep < steps {
                summary = try ending.end(try TrainingLoop(prepared).train())
            } else {
                try ending.scoreTrained()
                summary = nil
            }
        } catch {
            prepared.recorder.finish()
            try? prepared.recorder.writeRest()
            prepared.log.keep(.error, "\(error)")
            if prepared.communicator.isShared(error) { try? prepared.timeline?.finish(firstStep: firstStep) }
            throw error
        }
        try prepared.timeline?.finish(firstStep: firstStep)
        return summary
    }
}

extension Communicator {
    /// Whether an error has been thrown on all ranks, so that they can still do something together.
    public func isShared(_ error: any Error) -> Bool {
        if error is MPIError { return false }
        return size == 1 || error is RankFailure || error is TrainingError
    }
}
