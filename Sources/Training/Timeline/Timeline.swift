import Engine

/// Records what this rank does and when, to be drawn later.
///
/// Recording takes about half a microsecond a span: names are interned, spans are plain numbers in memory
/// that is reserved once, and text comes at the end. Not thread safe: all spans are the training thread's.
final class Timeline {
    /// A line of the drawing. Spans of one row do not overlap.
    struct Row: Hashable {
        /// Rows are drawn in this order.
        let number: Int

        static let steps = Row(number: 1)
        /// Operations of the plan, and what else this rank computes or writes.
        static let compute = Row(number: 2)
        /// Calls that wait for other ranks.
        static let communication = Row(number: 3)
        /// Waiting for patches.
        static let patches = Row(number: 4)

        /// Operations that go on beside the program: as many rows as there are at a time, counted from 0.
        static func inFlight(_ lane: Int) -> Row { Row(number: 5 + lane) }
        var isInFlight: Bool { number >= 5 }
    }

    /// What a span is, apart from its times.
    struct Label: Hashable {
        /// What the value of a span counts.
        enum Value { case none, bytes, step }

        var name: String
        var category: String
        var algorithm = ""
        var value = Value.none
    }

    struct Span: Equatable {
        /// Nanoseconds of this rank's clock.
        var begin: Int64, end: Int64
        /// Bytes or a step, as the label has it.
        var value: Int64 = 0
        /// The place of its label.
        var label: UInt32
        var row: UInt32
    }

    /// In the order in which they ended.
    private(set) var spans: [Span] = []
    private(set) var labels: [Label] = []
    private var places: [Label: UInt32] = [:]
    /// Where the spans do not fit any more, recording ends with the last whole step that does.
    let capacity: Int
    private(set) var isFull = false
    private(set) var isRecording = false
    /// The last step that is recorded to its end, and how many are.
    private(set) var lastStep: Int?
    private(set) var steps = 0
    private var stepBegin: (time: Int64, spans: Int)?
    /// Spans of the longest step so far, with its own.
    private var largestStep = 0

    private let clock: HostClock
    /// Nanoseconds of the host's clock.
    let now: () -> Int64
    /// Phases that are drawn and have not ended, the innermost last.
    var openPhases: [(phase: Phase, begin: Int64)] = []
    var call: (label: UInt32, bytes: Int, begin: Int64)?
    /// By lane; nil where nothing is under way.
    var flights: [Flight?] = []

    /// - Parameter now: the time by `clock`; nil for the true one.
    init(capacity: Int, clock: HostClock = HostClock(), now: (() -> Int64)? = nil) {
        (self.capacity, self.clock) = (capacity, clock)
        self.now = now ?? { clock(.now) }
    }

    /// Spans that each rank may record: a million, and fewer where many ranks would make a file that no
    /// viewer opens.
    static func capacity(ranks: Int) -> Int { min(1_000_000, 4_000_000 / ranks) }

    func start() {
        spans.reserveCapacity(capacity)
        isRecording = true
    }

    func stop() { isRecording = false }

    /// The place of a label.
    func place(of label: Label) -> UInt32 {
        if let known = places[label] { return known }
        let new = UInt32(labels.count)
        labels.append(label)
        places[label] = new
        return new
    }

    func record(_ label: UInt32, on row: Row, from begin: Int64, to end: Int64, value: Int = 0) {
        guard isRecording else { return }
        guard spans.count < capacity else {
            isFull = true
            return stop()
        }
        spans.append(
            Span(begin: begin, end: end, value: Int64(value), label: label, row: UInt32(row.number)))
    }

    // MARK: Steps

    func stepBegan() {
        if isRecording, spans.count + 2 * largestStep > capacity {
            isFull = true
            stop()
        }
        stepBegin = isRecording ? (now(), spans.count) : nil
    }

    /// What the step recorded comes before its own span.
    func stepEnded(_ step: Int) {
        guard isRecording, let begin = stepBegin else { return }
        record(
            place(of: Label(name: "step", category: "step", value: .step)), on: .steps, from: begin.time,
            to: now(), value: step)
        largestStep = max(largestStep, spans.count - begin.spans)
        guard isRecording else { return }
        lastStep = step
        steps += 1
    }

    // MARK: Computing

    /// Notes an operation of the plan.
    func note(_ operation: OperationReport) {
        guard isRecording else { return }
        let begin = clock(operation.begin)
        let label = Label(
            name: operation.name, category: operation.pass.rawValue, algorithm: operation.algorithm)
        record(
            place(of: label), on: .compute, from: begin, to: begin + operation.duration.nanoseconds)
    }
}
