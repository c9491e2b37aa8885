import Collectives
import Engine
import Inference
import RunFiles
import Sampling

/// The scoring of the held-out subjects in a run: when it is due, with what parameters, and where the scores
/// go.
struct HeldOutEvaluation {
    let run: PreparedRun

    /// Scores the held-out subjects with the parameters as they are, where that is due after a step.
    /// Collective.
    /// - Returns: Nil where it is not due, and where a signal stopped it: a resumed run does it then.
    /// - Throws: The same on all ranks: errors of the subjects' files and of memory.
    func scoreIfDue(step: Int) throws -> HeldOutScores? {
        guard run.evaluationIsDue(after: step) else { return nil }
        let start = ContinuousClock.now
        run.phases.begin(.preparingHeldOut, step: step)
        // With batch norm a rank each has its own; checkpoints hold those of rank 0.
        try run.communicator.broadcast(run.step.model.statistics)
        let phases = run.phases
        let scoring = HeldOutScoring(
            subjects: run.task.heldOut, reader: run.task.reader, window: try slidingWindow(),
            communicator: run.communicator, rounds: ScoringRounds(run.communicator),
            watch: { phases.begin($0, step: step) }, show: progress(step: step))
        defer { if run.isWriter { run.log.console.show("") } }
        let table: ScoreTable
        do {
            table = try phases.run(.scoringHeldOut, step: step) { try scoring.run() }
        } catch let stopped as ScoringRounds.Stopped {
            run.progress.stopSignal = stopped.signal
            run.logger.notice(
                """
                \(StopSignals.name(stopped.signal)) was received: the held-out subjects are not scored at step \(step); \
                a resumed run does it.
                """)
            return nil
        }
        let scores = HeldOutScores(table, step: step)
        phases.run(.recordingHeldOut, step: step) { run.recorder.record(table, scores) }
        run.progress.scoredStep = step
        run.logger.info(
            """
            Held out, step \(step): DSC of \(counted(scores.subjects, "subject")): mean \
            \(scores.dscMean.fixed(4)), median \(scores.dscMedian.fixed(4)) \
            (IQR \((scores.dscUpperQuartile - scores.dscLowerQuartile).fixed(4))), \
            \(Quantity.duration(start.secondsToNow))
            """)
        return scores
    }

    /// Made anew for each scoring, so that its plan holds no memory in between. All ranks have the same
    /// window.
    func slidingWindow() throws -> SlidingWindow {
        // Before the first step the memory of the step is spoken for, and not taken yet.
        let hasBegun = run.progress.stepsDone > run.progress.firstStep
        let share = WindowMemory.bytes(
            ranks: run.placement.ranksOnNode.count, reserved: hasBegun ? 0 : run.step.activationBytes)
        let least = try run.communicator.allReduce(Int64(share), .minimum)
        let window = SlidingWindow(
            graph: run.task.graph, parameters: run.step.model,
            options: .init(
                memoryBytes: Int(least), isPlanar: run.task.isPlanar, algorithms: run.step.algorithms),
            on: run.step.device)
        // A window of a whole volume may take longer than the timeout.
        let phases = run.phases
        window.observer = { _ in phases.progressed() }
        return window
    }

    private func progress(step: Int) -> (ScoringRounds.Progress) -> Void {
        guard run.isWriter, !run.options.quiet else { return { _ in } }
        let (console, count) = (run.log.console, run.task.heldOut.count)
        return { all in
            let windows = all.totalWindows > 1 ? "  window \(all.windows)/\(all.totalWindows)" : ""
            console.show("step \(step)  held-out subjects \(all.subjects)/\(count)" + windows)
        }
    }
}
