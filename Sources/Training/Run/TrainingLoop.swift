import Collectives
import Configuration
import Losses
import RunFiles
import Sampling

/// The steps of a training, and what is due between them.
struct TrainingLoop {
    private let run: PreparedRun
    private let evaluation: HeldOutEvaluation

    init(_ run: PreparedRun) {
        self.run = run
        evaluation = HeldOutEvaluation(run: run)
    }

    /// Trains up to the configured number of steps, or until a signal asks to stop. Collective.
    /// - Returns: the checkpoints, of which the last may be left to write.
    func train() throws -> CheckpointWriter {
        let (progress, phases, steps) = (run.progress, run.phases, run.configuration.steps)
        let checkpoints = CheckpointWriter(run, grids: try run.compareGrids())
        if let sentence = run.instruments.watchdog.warning { run.logger.warning("\(sentence)") }
        // What an earlier start has not come to.
        _ = try evaluation.scoreIfDue(step: progress.firstStep)
        try run.step.reducer.calibrate()
        try run.timeline?.begin(step: progress.firstStep)
        while progress.stepsDone < steps {
            let step = progress.stepsDone + 1
            phases.stepBegan()
            guard let batch = try draw(step: step, checkpoints) else { break }
            let outcome = try run.step.run(batch, step: step)
            record(outcome, step: step)
            try run.step.compareReplicas(step: step)
            phases.stepEnded(step)
            guard step < steps else { break }
            try run.buckets.chooseIfDue(run, step: step)
            if checkpoints.isDue(after: step) || run.evaluationIsDue(after: step) {
                try checkpoints.saveOrPostpone(step: step)
            }
            _ = try evaluation.scoreIfDue(step: step)
        }
        return checkpoints
    }

    /// Waits for the patches of a step; nil when a rank was told to stop. An error of all ranks costs no
    /// step: what was done is saved before it goes on. Collective.
    private func draw(step: Int, _ checkpoints: CheckpointWriter) throws -> PatchBatch? {
        do {
            return try run.patches.draw(step: step, for: run)
        } catch  where run.communicator.isShared(error) {
            checkpoints.rescue(step: step - 1)
            throw error
        }
    }

    /// Notes what a step gave.
    private func record(_ outcome: TrainingStep.Outcome, step: Int) {
        let times = run.instruments.timer.times(outcome.reduction)
        if let error = outcome.skipped {
            run.logger.warning("\(error) The step is skipped (optimizer.non_finite: skip).")
        }
        let report = outcome.report
        let voxels = Double(run.configuration.stepPatches * run.task.patchSize.count)
        let generalisedDice = report.value(of: GeneralisedDiceLoss(pooling: run.task.loss.pooling))
        run.recorder.record(
            StepMetrics(
                step: step, loss: report.loss, generalisedDice: generalisedDice, dice: report.dice,
                imbalance: report.foregroundFraction, learningRate: run.configuration.optimizer.learningRate,
                stepSeconds: times.step, dataSeconds: times.data, communicationSeconds: times.communication,
                voxelsPerSecond: voxels / max(times.step, 1e-9)), times)
        run.progress.stepsDone = step
    }
}
