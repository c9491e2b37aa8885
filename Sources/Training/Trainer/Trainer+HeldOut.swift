import Collectives
import Engine
import Foundation
import Inference
import RunFiles
import Sampling

extension Trainer {
    /// Whether the held-out subjects are to be scored after this step and have not been.
    func evaluationIsDue(_ step: Int) -> Bool {
        !task.heldOut.isEmpty && step != scoredStep
            && configuration.evaluate.isDue(after: step, of: configuration.steps)
    }

    /// Scores the held-out subjects with the parameters as they are, where that is due. Collective.
    /// - Returns: Nil where it is not due, and where a signal stopped it: a resumed run does it then.
    /// - Throws: The same on all ranks: errors of the subjects' files and of memory.
    func evaluate(step: Int) throws -> HeldOutScores? {
        guard evaluationIsDue(step) else { return nil }
        let start = ContinuousClock.now
        watchdog.begin("preparing the held-out subjects", step: step)
        // With batch norm a rank each has its own; checkpoints hold those of rank 0.
        try communicator.broadcast(plan.model.statistics)
        let show = progress(step: step)
        let scoring = HeldOutScoring(
            subjects: task.heldOut, reader: task.reader, window: try slidingWindow(),
            communicator: communicator, rounds: ScoringRounds(communicator),
            watch: { [watchdog] in watchdog.begin($0, step: step) }, show: show)
        defer { if isWriter { log.console.show("") } }
        let table: ScoreTable
        do {
            table = try timeline.span("scoring the held-out subjects") { try scoring.run() }
        } catch let stopped as ScoringRounds.Stopped {
            stopSignal = stopped.signal
            logger.notice(
                """
                \(StopSignals.name(stopped.signal)) was received: the held-out subjects are not scored at step \(step); \
                a resumed run does it.
                """)
            return nil
        }
        let scores = HeldOutScores(table, step: step)
        watchdog.begin("writing the held-out scores", step: step)
        recorder.record(table, scores)
        scoredStep = step
        logger.info(
            """
            Held out, step \(step): DSC of \(counted(scores.subjects, "subject")): mean \
            \(Self.digits(scores.dscMean)), median \(Self.digits(scores.dscMedian)) \
            (IQR \(Self.digits(scores.dscUpperQuartile - scores.dscLowerQuartile))), \
            \(Quantity.duration(start.secondsSince))
            """)
        return scores
    }

    /// Made anew for each scoring, so that its plan holds no memory in between. All ranks have the same window.
    func slidingWindow() throws -> SlidingWindow {
        // Before the first step the plan's memory is spoken for, and not taken yet.
        let share = WindowMemory.bytes(
            ranks: placement.ranksOnNode.count, reserved: recorder.steps == 0 ? plan.peakBytes : 0)
        let least = try communicator.allReduce(Int64(share), .minimum)
        let window = SlidingWindow(
            graph: task.graph, parameters: plan.model,
            options: .init(
                threads: placement.threads, memoryBytes: Int(least), isPlanar: task.isPlanar,
                algorithms: plan.options.algorithms))
        // A window of a whole volume may take longer than the timeout.
        window.observer = { [watchdog] _ in watchdog.progress() }
        return window
    }

    private func progress(step: Int) -> (ScoringRounds.Progress) -> Void {
        guard isWriter, !options.quiet else { return { _ in } }
        let (console, count) = (log.console, task.heldOut.count)
        return { all in
            let windows = all.totalWindows > 1 ? "  window \(all.windows)/\(all.totalWindows)" : ""
            console.show("step \(step)  held-out subjects \(all.subjects)/\(count)" + windows)
        }
    }
}
