import Collectives
import Configuration
import Engine
import Glibc
import RunFiles
import Sampling

/// What comes after the last step of a start: the summary, the last checkpoint and the last scores.
struct TrainingEnding {
    let run: PreparedRun

    /// Writes what is left to write after the loop. Collective.
    /// - Returns: the run's summary; nil where no step was done.
    func end(_ checkpoints: CheckpointWriter) throws -> RunSummary? {
        let step = run.progress.stepsDone
        // Before the checkpoint, so that a start that finds all steps done finds their summary too.
        var summary = try summarise()
        try checkpoints.saveAtLast(step: step)
        if step == run.configuration.steps {
            summary?.heldOut = try HeldOutEvaluation(run: run).scoreIfDue(step: step)
            summary?.complete = run.isComplete
            try summary.map(write)
        }
        try run.communicator.together { try run.recorder.writeRest() }
        return summary
    }

    /// Scores a run whose steps were all done before, and adds the scores to its summary. Collective.
    func scoreTrained() throws {
        let step = run.progress.firstStep
        try run.communicator.together {
            if run.isWriter { try RunSummary.reopen(run.options.summaryPath) }
        }
        try run.timeline?.begin(step: step)
        try noteCompletion(HeldOutEvaluation(run: run).scoreIfDue(step: step))
        try run.communicator.together { try run.recorder.writeRest() }
    }

    /// Brings the summary of a run up to date whose steps were all done before. Collective.
    func noteCompletion(_ scores: HeldOutScores?) throws {
        let path = run.options.summaryPath
        try run.communicator.together {
            guard run.isWriter, let before = try? RunSummary(contentsOf: path),
                before.steps == run.progress.firstStep
            else { return }
            var summary = before
            summary.heldOut = scores ?? before.heldOut
            summary.complete = run.isComplete
            if summary != before { try summary.write(to: path) }
        }
    }

    /// Writes, logs and returns the summary of the training, not complete yet. Collective.
    private func summarise() throws -> RunSummary? {
        run.recorder.finish()
        let peak = Int(try run.communicator.allReduce(Int64(peakMemoryBytes()), .maximum))
        let (step, total) = (run.progress.stepsDone, run.recorder.total)
        guard let last = run.recorder.last, total.step > 0 else { return nil }
        let voxels = Double(
            run.recorder.steps * run.configuration.stepPatches * run.task.patchSize.count)
        let hidden = total.baseline > 0 ? min(max(1 - total.reduction / total.baseline, 0), 1) : nil
        let summary = RunSummary(
            steps: step, complete: false, finalLoss: last.loss, dice: run.recorder.dice,
            seconds: total.step, voxelsPerSecond: voxels / total.step, ranks: run.communicator.size,
            threads: run.placement.threads, peakMemoryBytes: peak,
            communicationShare: total.communication / total.step,
            reductionHiddenShare: hidden, dataShare: total.data / total.step, versions: versions)
        try write(summary)
        run.logger.info(
            """
            Step \(step) of \(run.configuration.steps): loss \(last.loss.fixed(4)), median DSC \(summary.dscMedian.fixed(4)) of the last \
            \(Quantity.lastSteps(summary.dscSteps)), \(Quantity.duration(summary.seconds)), \
            \(Quantity.short(summary.voxelsPerSecond)) voxels/s, communication \
            \(Self.percent(summary.communicationShare))\(hidden.map { ", \(Self.percent($0)) of the reduction hidden" } ?? ""), \
            waiting for data \(Self.percent(summary.dataShare))
            """)
        return summary
    }

    /// Writes `summary.json`. Collective.
    private func write(_ summary: RunSummary) throws {
        try run.communicator.together {
            if run.isWriter { try summary.write(to: run.options.summaryPath) }
        }
    }

    private static func percent(_ share: Double) -> String { (100 * share).fixed(1) + " %" }

    private var versions: [String: String] {
        var versions = run.step.device.libraries
        if !run.options.version.isEmpty { versions["dicerank"] = run.options.version }
        if run.communicator.size > 1, let library = try? MPILibrary.load() {
            versions["mpi"] = library.summary
        }
        return versions
    }

    /// The largest memory that this process has had resident.
    private func peakMemoryBytes() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}
