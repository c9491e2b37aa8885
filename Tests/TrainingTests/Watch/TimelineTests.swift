import Foundation
import Testing

@testable import Engine
@testable import Training

/// A timeline whose clock shows what a test says.
final class SteppedTimeline {
    var time: Int64 = 0
    /// The zero of the clock.
    let zero = ContinuousClock.now
    private(set) lazy var timeline = Timeline(
        capacity: capacity, clock: HostClock(instant: zero, nanoseconds: 0)
    ) { [unowned self] in time }
    private let capacity: Int

    init(capacity: Int = 100) {
        self.capacity = capacity
        timeline.start()
    }

    /// A span of the trainer.
    func span(_ phase: Phase, _ times: Range<Int64>) {
        time = times.lowerBound
        phases.run(phase, step: 1) { time = times.upperBound }
    }

    var phases: PhaseObservers { PhaseObservers([timeline]) }

    func call(_ name: String, bytes: Int, _ times: Range<Int64>) {
        time = times.lowerBound
        timeline.callBegins(name, bytes: bytes)
        time = times.upperBound
        timeline.callEnds()
    }

    func begin(_ number: Int, bytes: Int, at time: Int64) {
        self.time = time
        timeline.operationBegins(number, call: "MPI_Iallreduce", bytes: bytes)
    }

    func end(_ number: Int, at time: Int64) {
        self.time = time
        timeline.operationEnds(number)
    }

    func step(_ number: Int, _ times: Range<Int64>, _ body: () -> Void = {}) {
        time = times.lowerBound
        timeline.stepBegan()
        body()
        time = times.upperBound
        timeline.stepEnded(number)
    }

    /// Rows and times of all spans.
    var drawn: [String] { timeline.spans.map { "\($0.row) \($0.begin)-\($0.end)" } }
}

/// Of a rank whose clock is rank 0's, from its zero on.
let plainClock = TimelineClock(
    zero: 0, start: .init(time: 0, offset: 0), end: .init(time: 1, offset: 0))

@Suite struct TimelineTests {
    @Test func spansBecomeEvents() throws {
        let recorder = SteppedTimeline()
        recorder.step(7, 1_000..<5_250_001) {
            recorder.span(.waitingForPatches, 1_000..<3_007)
            recorder.timeline.note(
                OperationReport(
                    name: #"a "b"\ü"#, pass: .backward, kind: .convolution, algorithm: "Winograd F(4,3)",
                    operations: 0, begin: recorder.zero + .nanoseconds(4_000),
                    duration: .nanoseconds(1_000_000)))
            recorder.call("MPI_Allreduce", bytes: 8, 2_000_000..<2_000_500)
            recorder.call("MPI_Barrier", bytes: 0, 2_001_000..<2_001_500)
            recorder.begin(1, bytes: 4096, at: 3_000_000)
            recorder.end(1, at: 3_999_999)
        }
        let text = TimelineText(recorder.timeline, rank: 3, host: "node1", clock: plainClock)
        #expect(text.pieces == 2)
        let names = [
            #"{"ph":"M","pid":3,"name":"process_name","args":{"name":"rank 3 on node1"}}"#,
            #"{"ph":"M","pid":3,"name":"process_sort_index","args":{"sort_index":3}}"#,
        ]
        let rows = [(1, "steps"), (2, "compute"), (3, "communication"), (4, "patches"), (5, "in flight")]
            .flatMap { number, title in
                [
                    #"{"ph":"M","pid":3,"tid":\#(number),"name":"thread_name","args":{"name":"\#(title)"}}"#,
                    #"{"ph":"M","pid":3,"tid":\#(number),"name":"thread_sort_index","args":{"sort_index":\#(number)}}"#,
                ]
            }
        #expect(String(decoding: text.piece(0), as: UTF8.self) == (names + rows).joined(separator: ",\n"))
        let events = [
            #"{"ph":"X","pid":3,"tid":4,"ts":1.000,"dur":2.007,"cat":"data","name":"waiting for patches"}"#,
            #"{"ph":"X","pid":3,"tid":2,"ts":4.000,"dur":1000.000,"cat":"backward","name":"a \"b\"\\ü","#
                + #""args":{"algorithm":"Winograd F(4,3)"}}"#,
            #"{"ph":"X","pid":3,"tid":3,"ts":2000.000,"dur":0.500,"cat":"communication","name":"MPI_Allreduce","#
                + #""args":{"bytes":8}}"#,
            #"{"ph":"X","pid":3,"tid":3,"ts":2001.000,"dur":0.500,"cat":"communication","name":"MPI_Barrier"}"#,
            #"{"ph":"X","pid":3,"tid":5,"ts":3000.000,"dur":999.999,"cat":"in flight","name":"MPI_Iallreduce","#
                + #""args":{"bytes":4096}}"#,
            #"{"ph":"X","pid":3,"tid":1,"ts":1.000,"dur":5249.001,"cat":"step","name":"step 7"}"#,
        ]
        #expect(String(decoding: text.piece(1), as: UTF8.self) == events.joined(separator: ",\n"))
        for event in names + rows + events {
            _ = try #require(try JSONSerialization.jsonObject(with: Data(event.utf8)) as? [String: Any])
        }
    }

    @Test func nothingIsRecordedBeforeTheStart() {
        let recorder = SteppedTimeline()
        recorder.timeline.stop()
        recorder.step(1, 0..<10) {
            recorder.span(.optimiser, 0..<1)
            recorder.call("MPI_Barrier", bytes: 0, 1..<2)
            recorder.begin(1, bytes: 1, at: 3)
            recorder.end(1, at: 4)
        }
        #expect(recorder.drawn.isEmpty && recorder.timeline.steps == 0 && !recorder.timeline.isFull)
    }

    @Test func spansOfWhatThrewStay() {
        let recorder = SteppedTimeline()
        #expect(throws: CancellationError.self) {
            try recorder.phases.run(.optimiser, step: 1) {
                recorder.time = 5
                throw CancellationError()
            }
        }
        #expect(recorder.drawn == ["2 0-5"])
    }

    /// A phase that is not drawn leaves no span, and neither does one that began before the recording.
    @Test func onlyWhatBeganIsDrawn() {
        let recorder = SteppedTimeline()
        recorder.span(.gradients, 0..<10)
        recorder.timeline.stop()
        recorder.phases.run(.loss, step: 1) {
            recorder.timeline.start()
            recorder.span(.optimiser, 20..<30)
        }
        #expect(recorder.drawn == ["2 20-30"])
    }

    /// The third operation takes the row that the first has left; the second keeps its own.
    @Test func operationsInFlightTakeAFreeRow() {
        let recorder = SteppedTimeline()
        recorder.begin(1, bytes: 4, at: 10)
        recorder.begin(2, bytes: 4, at: 20)
        recorder.end(1, at: 30)
        recorder.begin(3, bytes: 4, at: 40)
        recorder.end(3, at: 50)
        recorder.end(2, at: 60)
        recorder.end(9, at: 70)
        #expect(recorder.drawn == ["5 10-30", "5 40-50", "6 20-60"])
    }

    /// A step of three spans and its own: 12 hold two steps, after which a third might not fit.
    @Test func aFullTimelineEndsWithAWholeStep() {
        let recorder = SteppedTimeline(capacity: 12)
        for step in 1...5 {
            let begin = Int64(step) * 100
            recorder.step(step, begin..<begin + 90) {
                for part in 0..<3 { recorder.span(.optimiser, begin + Int64(part)..<begin + Int64(part) + 1) }
            }
        }
        let timeline = recorder.timeline
        #expect(timeline.isFull && timeline.steps == 2 && timeline.lastStep == 2)
        #expect(timeline.spans.count == 8)
        #expect(Timeline.capacity(ranks: 2) == 1_000_000 && Timeline.capacity(ranks: 16) == 250_000)
    }

    /// Also where a process of the host is kept from running while it reads the clock.
    @Test func clocksOfAHostAgree() {
        let clocks = (0..<50).map { _ in HostClock() }
        let now = ContinuousClock.now
        let times = clocks.map { $0(now) }
        #expect((times.max() ?? 0) - (times.min() ?? 0) < 5_000, "nanoseconds")
        #expect(clocks[0](now + .microseconds(3)) == times[0] + 3_000)
    }

    /// Half way between the two comparisons the clock is ahead by half of what it gains.
    @Test func aDriftIsSpreadEvenly() {
        let clock = TimelineClock(
            zero: 50, start: .init(time: 1_000, offset: 200), end: .init(time: 3_000, offset: 240))
        #expect(clock.time(1_000) == 750)
        #expect(clock.time(2_000) == 2_000 - 220 - 50)
        #expect(clock.time(3_000) == 3_000 - 240 - 50)
        #expect(plainClock.time(12_345) == 12_345)
    }
}

@Suite struct TimelineSharesTests {
    /// A step of 1000 ns: an operation of 500 waits 100 of them for other ranks; a wait of 100 ends a flight
    /// of 300; two flights overlap. A checkpoint follows, which belongs to no step.
    private func record(_ recorder: SteppedTimeline, step: Int, at begin: Int64) {
        recorder.step(step, begin..<begin + 1000) {
            recorder.span(.waitingForPatches, begin..<begin + 50)
            recorder.call("MPI_Allgather", bytes: 8, begin + 200..<begin + 300)
            recorder.span(.loss, begin + 100..<begin + 600)
            recorder.begin(2 * step, bytes: 4, at: begin + 500)
            recorder.begin(2 * step + 1, bytes: 4, at: begin + 600)
            recorder.end(2 * step, at: begin + 650)
            recorder.call("MPI_Wait (MPI_Iallreduce)", bytes: 0, begin + 700..<begin + 800)
            recorder.end(2 * step + 1, at: begin + 800)
        }
        recorder.span(.savingCheckpoint, begin + 1000..<begin + 9000)
    }

    @Test func mediansOfTheSteps() throws {
        let recorder = SteppedTimeline()
        for step in 1...3 { record(recorder, step: step, at: Int64(step) * 10_000) }
        let shares = try #require(TimelineShares(recorder.timeline.spans))
        #expect(
            shares
                == TimelineShares(seconds: 1e-6, compute: 0.4, exposed: 0.2, hidden: 0.2, patches: 0.05))
        #expect(TimelineShares([]) == nil)
    }

    @Test func theSentenceNamesTheRanksAtTheEnds() {
        let first = TimelineShares(seconds: 0.1, compute: 0.8, exposed: 0.05, hidden: 0.1, patches: 0)
        var second = first
        (second.seconds, second.compute, second.exposed) = (0.1024, 0.7, 0.15)
        #expect(
            TimelineShares.sentence([first])
                == "The median step took 100.0 ms: compute 80.0 %, waiting for patches 0.0 %")
        #expect(
            TimelineShares.sentence([first, second])
                == "The median step took 102.4 ms: compute 70.0 % (rank 1) to 80.0 % (rank 0), waiting for "
                + "patches 0.0 %, waiting for other ranks 5.0 % (rank 0) to 15.0 % (rank 1), communication "
                + "hidden behind the rest 10.0 %")
    }
}
