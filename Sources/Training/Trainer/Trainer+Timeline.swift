import Collectives
import Sampling

extension Trainer {
    /// Begins to record, where a timeline is asked for. Collective.
    func startTimeline() throws {
        guard let timeline else { return }
        watchdog.begin("comparing the clocks of the ranks", step: firstStep)
        timelineStart = try TimelineStart(on: communicator, now: timeline.now)
        timeline.start()
    }

    /// Writes what was recorded on all ranks into one file and says where it is. Collective.
    ///
    /// A file that cannot be written is a warning: it costs nothing of the run.
    func finishTimeline() throws {
        guard let timeline, let start = timelineStart, let path = options.timeline else { return }
        timelineStart = nil
        timeline.stop()
        func watch(_ operation: String) { watchdog.begin(operation, step: timeline.lastStep ?? firstStep) }
        watch("comparing the clocks of the ranks")
        let (clock, error) = try start.end(on: communicator, now: timeline.now)
        let text = TimelineText(
            timeline, rank: communicator.rank, host: communicator.hostNames[communicator.rank], clock: clock)
        let file = TimelineFile(
            path: path, communicator: communicator, watch: { watch("writing the timeline") })
        let failure = try file.write(text)
        let shares = try TimelineShares.gather(timeline.spans, on: communicator)
        let isFull = try communicator.allReduce(Int64(timeline.isFull ? 1 : 0), .maximum) > 0
        let steps = try communicator.allReduce(Int64(timeline.steps), .minimum)
        if let failure {
            logger.warning("\(failure) The run is left without a timeline.")
        } else {
            let ranks = communicator.size
            logger.info(
                """
                The timeline of \(counted(Int(steps), "step")) on \(counted(ranks, "rank")) is in \
                '\(path)': open it with ui.perfetto.dev or chrome://tracing\
                \(error > 0 ? "; clocks of other hosts are aligned within \(error / 1000 + 1) us" : "")
                """)
        }
        if isFull {
            logger.warning(
                """
                The timeline holds the first \(counted(Int(steps), "step")) only: no more than \(timeline.capacity) spans are recorded \
                on a rank.
                """)
        }
        if !shares.isEmpty { logger.info("\(TimelineShares.sentence(shares))") }
    }

    /// Whether an error has been thrown on all ranks, so that they can still do something together.
    func isShared(_ error: any Error) -> Bool {
        if error is MPIError { return false }
        return communicator.size == 1 || error is RankFailure || error is TrainingError
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
