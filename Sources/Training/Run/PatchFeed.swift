import Collectives
import Configuration
import Sampling

/// Patches for the slots of a rank, step by step, as long as no rank is told to stop.
final class PatchFeed {
    private let task: TrainingTask
    private let assignment: SlotAssignment
    private let firstStep: Int
    /// Reads ahead from its first use on.
    lazy var source = PatchSource(
        files: task.subjects, reader: task.reader, assignment: assignment,
        options: task.configuration.patchOptions(input: task.patchSize, effective: task.effectiveSize),
        firstStep: firstStep + 1)

    /// - Parameter firstStep: the steps done before.
    init(_ task: TrainingTask, _ assignment: SlotAssignment, firstStep: Int) {
        (self.task, self.assignment, self.firstStep) = (task, assignment, firstStep)
    }

    /// Waits for the patches of a step; nil when a rank was told to stop. Collective: all ranks end together,
    /// also where one has failed in reading its data.
    func draw(step: Int, for run: PreparedRun) throws -> PatchBatch? {
        let outcome = Result {
            try run.phases.run(.waitingForPatches, step: step) {
                // Before the first step many subjects are read, one after the other.
                try source.next(step: step, progress: run.phases.progressed)
            }
        }
        let batch = try? outcome.get()
        if batch != nil {
            for sentence in source.takeNotices() { run.logger.warning("\(sentence)") }
        }
        let own = StepAgreement(signal: StopSignals.pending ?? 0, hasFailed: batch == nil)
        let all = try run.step.agree(own, step: step)
        if all.hasFailed { _ = try run.communicator.together { try outcome.get() } }
        guard all.signal > 0 else { return try outcome.get() }
        run.progress.stopSignal = all.signal
        let name = StopSignals.name(all.signal)
        run.logger.notice("\(name) was received: the run stops after step \(step - 1) and can be resumed.")
        return nil
    }
}
