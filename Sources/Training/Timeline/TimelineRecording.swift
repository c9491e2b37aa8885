import Collectives
import Logging
import RunFiles
import Sampling

/// The recording of the timeline of a run on all ranks: from its start to the file.
final class TimelineRecording {
    private let timeline: Timeline
    private let path: String
    private let communicator: any Communicator
    private let phases: PhaseObservers
    private let logger: Logger
    /// Nil while nothing is recorded.
    private var start: TimelineStart?

    /// Nil where no timeline is asked for.
    init?(_ instruments: Instruments, path: String?, logger: Logger) {
        guard let timeline = instruments.timeline, let path else { return nil }
        (self.timeline, self.path, self.logger) = (timeline, path, logger)
        (communicator, phases) = (instruments.communicator, instruments.phases)
    }

    /// Begins to record. Collective.
    /// - Parameter step: the steps done before.
    func begin(step: Int) throws {
        start = try phases.run(.comparingClocks, step: step) {
            try TimelineStart(on: communicator, now: timeline.now)
        }
        timeline.start()
    }

    /// Writes what was recorded on all ranks into one file and says where it is; does nothing where nothing
    /// was recorded. Collective.
    ///
    /// A file that cannot be written is a warning: it costs nothing of the run.
    /// - Parameter firstStep: the steps done before the run.
    func finish(firstStep: Int) throws {
        guard let start else { return }
        self.start = nil
        timeline.stop()
        let step = timeline.lastStep ?? firstStep
        let (clock, error) = try phases.run(.comparingClocks, step: step) {
            try start.end(on: communicator, now: timeline.now)
        }
        let text = TimelineText(
            timeline, rank: communicator.rank, host: communicator.hostNames[communicator.rank], clock: clock)
        let file = TimelineFile(
            path: path, communicator: communicator,
            watch: { [phases] in phases.begin(.writingTimeline, step: step) })
        let failure = try file.write(text)
        let shares = try TimelineShares.gather(timeline.spans, on: communicator)
        let isFull = try communicator.allReduce(Int64(timeline.isFull ? 1 : 0), .maximum) > 0
        let steps = try communicator.allReduce(Int64(timeline.steps), .minimum)
        report(failure, steps: Int(steps), isFull: isFull, clockError: error)
        if !shares.isEmpty { logger.info("\(TimelineShares.sentence(shares))") }
    }

    /// - Parameter clockError: by how many nanoseconds a rank's clock may be wrong.
    private func report(_ failure: FileError?, steps: Int, isFull: Bool, clockError: Int64) {
        if let failure {
            logger.warning("\(failure) The run is left without a timeline.")
        } else {
            let ranks = communicator.size
            logger.info(
                """
                The timeline of \(counted(steps, "step")) on \(counted(ranks, "rank")) is in \
                '\(path)': open it with ui.perfetto.dev or chrome://tracing\
                \(clockError > 0 ? "; clocks of other hosts are aligned within \(clockError / 1000 + 1) us" : "")
                """)
        }
        if isFull {
            logger.warning(
                """
                The timeline holds the first \(counted(steps, "step")) only: no more than \(timeline.capacity) spans are recorded \
                on a rank.
                """)
        }
    }
}

extension TimelineShares {
    /// Those of all ranks, by rank; none where a rank has no step. Collective.
    static func gather(
        _ spans: [Timeline.Span], on communicator: any Communicator
    ) throws -> [TimelineShares] {
        let own = TimelineShares(spans)
        let numbers = own.map { [$0.seconds, $0.compute, $0.exposed, $0.hidden, $0.patches] }
        let width = 5
        let all = try communicator.allGather(numbers ?? [Double](repeating: -1, count: width))
        guard !all.contains(-1) else { return [] }
        return stride(from: 0, to: all.count, by: width).map { first in
            TimelineShares(
                seconds: all[first], compute: all[first + 1], exposed: all[first + 2], hidden: all[first + 3],
                patches: all[first + 4])
        }
    }
}
