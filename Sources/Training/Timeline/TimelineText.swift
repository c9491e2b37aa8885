import Foundation

/// The spans of one rank as events of Chrome's Trace Event Format, which Perfetto and chrome://tracing read.
///
/// A rank is a process of the trace and a row one of its threads. A span is one event:
/// ```
/// {"ph":"X","pid":0,"tid":3,"ts":1250.500,"dur":3.250,"cat":"communication","name":"MPI_Allreduce","args":{"bytes":8}}
/// ```
/// with times in microseconds.
struct TimelineText {
    /// Spans in a piece: some megabytes of text.
    static let pieceLength = 50_000

    static let head = #"{"displayTimeUnit":"ms","traceEvents":["#
    static let tail = "\n]}\n"

    private let timeline: Timeline
    private let rank: Int
    private let host: String
    private let clock: TimelineClock
    private let pieceLength: Int
    /// By label.
    private let descriptions: [Description]

    init(
        _ timeline: Timeline, rank: Int, host: String, clock: TimelineClock,
        pieceLength: Int = TimelineText.pieceLength
    ) {
        (self.timeline, self.rank, self.host, self.clock) = (timeline, rank, host, clock)
        self.pieceLength = pieceLength
        descriptions = timeline.labels.map(Description.init)
    }

    /// The first names the rank and its rows; the others hold the spans.
    var pieces: Int { 1 + (timeline.spans.count + pieceLength - 1) / pieceLength }

    /// Events with commas between them.
    func piece(_ index: Int) -> [UInt8] {
        guard index > 0 else { return Array(names.joined(separator: ",\n").utf8) }
        let first = (index - 1) * pieceLength
        var text: [UInt8] = []
        text.reserveCapacity(pieceLength * 160)
        for span in timeline.spans[first..<min(first + pieceLength, timeline.spans.count)] {
            if !text.isEmpty { text += Array(",\n".utf8) }
            append(span, to: &text)
        }
        return text
    }

    private var names: [String] {
        let title = Self.encoded(["name": "rank \(rank) on \(host)"])
        let rows = Set(timeline.spans.map(\.row)).sorted().map { Timeline.Row(number: Int($0)) }
        return [
            #"{"ph":"M","pid":\#(rank),"name":"process_name","args":\#(title)}"#,
            #"{"ph":"M","pid":\#(rank),"name":"process_sort_index","args":{"sort_index":\#(rank)}}"#,
        ]
            + rows.flatMap { row in
                [
                    #"{"ph":"M","pid":\#(rank),"tid":\#(row.number),"name":"thread_name","args":{"name":"\#(row.title)"}}"#,
                    #"{"ph":"M","pid":\#(rank),"tid":\#(row.number),"name":"thread_sort_index","args":{"sort_index":\#(row.number)}}"#,
                ]
            }
    }

    private func append(_ span: Timeline.Span, to text: inout [UInt8]) {
        let begin = clock.time(span.begin)
        let description = descriptions[Int(span.label)]
        text += Array(#"{"ph":"X","pid":"#.utf8)
        text.appendDigits(Int64(rank))
        text += Array(#","tid":"#.utf8)
        text.appendDigits(Int64(span.row))
        text += Array(#","ts":"#.utf8)
        text.appendMicroseconds(begin)
        text += Array(#","dur":"#.utf8)
        text.appendMicroseconds(max(0, clock.time(span.end) - begin))
        text += description.before
        if description.hasValue { text.appendDigits(span.value) }
        text += description.after
    }

    /// A value as JSON, names escaped.
    fileprivate static func encoded(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Text always has an encoding.
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}

/// The part of an event that its label gives, around the value.
private struct Description {
    let before: [UInt8]
    let after: [UInt8]
    let hasValue: Bool

    init(_ label: Timeline.Label) {
        let category = TimelineText.encoded(label.category)
        let name = TimelineText.encoded(label.name)
        hasValue = label.value != .none
        var (before, after) = (#","cat":\#(category),"name":\#(name)"#, "}")
        switch label.value {
        case .none:
            if !label.algorithm.isEmpty {
                before += #","args":\#(TimelineText.encoded(["algorithm": label.algorithm]))"#
            }
        case .bytes:
            before += #","args":{"bytes":"#
            after = "}}"
        case .step:
            // The number belongs to the name, which is what viewers show.
            before = String(before.dropLast()) + " "
            after = "\"}"
        }
        (self.before, self.after) = (Array(before.utf8), Array(after.utf8))
    }
}

extension Timeline.Row {
    var title: String {
        switch self {
        case .steps: "steps"
        case .compute: "compute"
        case .communication: "communication"
        case .patches: "patches"
        default: self == .inFlight(0) ? "in flight" : "in flight \(number - 4)"
        }
    }
}

extension [UInt8] {
    fileprivate mutating func appendDigits(_ value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        let start = count
        repeat {
            append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        self[start...].reverse()
    }

    /// Nanoseconds as microseconds with three decimals.
    fileprivate mutating func appendMicroseconds(_ nanoseconds: Int64) {
        if nanoseconds < 0 { append(UInt8(ascii: "-")) }
        let magnitude = nanoseconds.magnitude
        appendDigits(Int64(magnitude / 1000))
        append(UInt8(ascii: "."))
        for unit: UInt64 in [100, 10, 1] {
            append(UInt8(ascii: "0") + UInt8(magnitude % 1000 / unit % 10))
        }
    }
}
