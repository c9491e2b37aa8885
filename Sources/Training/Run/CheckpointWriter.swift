import Collectives
import Configuration
import Foundation
import RunFiles
import Sampling

/// Writes the checkpoints of a run on rank 0, and knows which was the last to be written.
final class CheckpointWriter {
    private let run: PreparedRun
    /// Of the subjects to train on.
    private let grids: GridSummary
    /// The step of the last checkpoint; the first step's before there is one.
    private var saved: Int
    /// Attempts that failed since then.
    private var failures = 0

    init(_ run: PreparedRun, grids: GridSummary) {
        (self.run, self.grids, saved) = (run, grids, run.progress.firstStep)
    }

    /// Whether a checkpoint is due after a step: every `checkpoint.every` steps, and at once after one that
    /// failed.
    func isDue(after step: Int) -> Bool {
        step % run.configuration.checkpoint.every == 0 || failures > 0
    }

    /// Writes a checkpoint; where the file system does not take it, says so and leaves it to the next step.
    /// Collective.
    func saveOrPostpone(step: Int) throws {
        if let failure = try write(step: step) {
            if failures == 0 {
                run.logger.warning(
                    "\(failure) Older checkpoints stay, training goes on, and it is tried again after each step."
                )
            }
            failures += 1
            return
        }
        if failures > 0 {
            run.logger.notice("The checkpoint of step \(step) is written, after \(failures) that failed.")
        }
        (saved, failures) = (step, 0)
    }

    /// Writes the checkpoint that a run ends with where it is not there, in three attempts some seconds
    /// apart. Collective.
    /// - Throws: the same on all ranks, where it could not be written; older checkpoints stay.
    func saveAtLast(step: Int) throws {
        guard saved < step else { return }
        for pause in [1.0, 4.0] {
            guard let failure = try write(step: step) else { return }
            run.logger.warning("\(failure) It is tried again.")
            Thread.sleep(forTimeInterval: pause)
        }
        if let failure = try write(step: step) { throw TrainingError.notSaved(failure) }
    }

    /// Writes the checkpoint of the last step of a run that an error of all ranks ends, where it is not
    /// there; what goes wrong is a warning beside that error. Collective.
    func rescue(step: Int) {
        guard saved < step else { return }
        do {
            if let failure = try write(step: step) {
                run.logger.warning("\(failure)")
            } else {
                run.logger.notice("Step \(step) was the last one; its checkpoint is written.")
            }
        } catch {
            run.logger.warning("\(error)")
        }
    }

    /// Writes a checkpoint on rank 0. Collective. What it does not hold, rounded gradients' residuals, is
    /// dropped then, so that a run that is resumed here goes on as this one.
    /// - Returns: on all ranks the sentence of the file system where it could not be written.
    private func write(step: Int) throws -> String? {
        let sentence = try run.phases.run(.checkpoint, step: step) {
            let failure = try run.communicator.together {
                try run.isWriter ? run.phases.run(.savingCheckpoint, step: step) { try save(step: step) } : ""
            }
            return try run.communicator.broadcast(failure, from: 0)
        }
        guard sentence.isEmpty else { return sentence }
        run.step.reducer.forgetResiduals()
        return nil
    }

    /// - Returns: the sentence of the file system where the checkpoint could not be written; empty where it
    ///   is.
    private func save(step: Int) throws -> String {
        let (configuration, model) = (run.configuration, run.step.model)
        let slices = model.parameters.slices
        let checkpoint = Checkpoint(
            step: step, network: configuration.network.name.rawValue, configurationText: configuration.yaml,
            ranks: run.communicator.size, threads: run.placement.threads,
            algorithms: run.step.algorithms.text, bucketCount: run.buckets.chosenCount ?? 0,
            subjects: run.task.names, grids: grids,
            tensors: slices.tensors(of: model.parameters.values)
                + model.statistics.slices.tensors(of: model.statistics.values)
                + run.step.optimizer.tensors(slices))
        run.recorder.synchronise()
        do {
            try run.store.save(checkpoint)
        } catch let error as FileError {
            return "\(error)"
        }
        return ""
    }
}
