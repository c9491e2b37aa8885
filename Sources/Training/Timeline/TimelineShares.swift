import Foundation

/// Where the time of a step goes on one rank: medians over its steps.
struct TimelineShares: Equatable {
    /// Seconds of a step.
    var seconds: Double
    /// In operations, less what they waited for other ranks. This and the others: shares of the step, 0...1.
    var compute: Double
    /// In calls that wait for other ranks.
    var exposed: Double
    /// With operations in flight, and not waiting.
    var hidden: Double
    /// Waiting for patches.
    var patches: Double

    init(seconds: Double, compute: Double, exposed: Double, hidden: Double, patches: Double) {
        (self.seconds, self.compute, self.exposed) = (seconds, compute, exposed)
        (self.hidden, self.patches) = (hidden, patches)
    }

    /// Of the whole steps in a timeline; nil where there is none.
    init?(_ spans: [Timeline.Span]) {
        var steps: [TimelineShares] = []
        var current = StepIntervals()
        // What a step recorded comes before its own span; what is between steps begins before the step.
        for span in spans {
            if Int(span.row) == Timeline.Row.steps.number {
                steps.append(current.shares(since: span.begin, nanoseconds: span.end - span.begin))
                current = StepIntervals()
            } else {
                current.add(span)
            }
        }
        guard !steps.isEmpty else { return nil }
        func median(_ value: (TimelineShares) -> Double) -> Double {
            let sorted = steps.map(value).sorted()
            return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        }
        self.init(
            seconds: median(\.seconds), compute: median(\.compute), exposed: median(\.exposed),
            hidden: median(\.hidden), patches: median(\.patches))
    }

    /// The median steps of all ranks in a sentence, without period.
    /// - Parameter ranks: by rank; at least one.
    static func sentence(_ ranks: [TimelineShares]) -> String {
        func range(_ value: (TimelineShares) -> Double) -> String {
            let values = ranks.map(value)
            let order = values.indices.sorted { values[$0] < values[$1] }
            func text(_ rank: Int) -> String { (100 * values[rank]).fixed(1) + " %" }
            let (least, most) = (order[0], order[order.count - 1])
            return text(least) == text(most)
                ? text(least) : "\(text(least)) (rank \(least)) to \(text(most)) (rank \(most))"
        }
        let seconds = ranks.map(\.seconds).max() ?? 0
        let alone =
            "The median step took \((seconds * 1e3).fixed(1)) ms: compute \(range(\.compute)), waiting for patches "
            + range(\.patches)
        guard ranks.count > 1 else { return alone }
        return alone
            + ", waiting for other ranks \(range(\.exposed)), communication hidden behind the rest \(range(\.hidden))"
    }
}

/// What happened in one step, by kind.
private struct StepIntervals {
    private var compute: [Range<Int64>] = []
    private var calls: [Range<Int64>] = []
    private var flights: [Range<Int64>] = []
    private var patches: [Range<Int64>] = []

    mutating func add(_ span: Timeline.Span) {
        let times = span.begin..<max(span.begin, span.end)
        let row = Timeline.Row(number: Int(span.row))
        switch row {
        case .compute: compute.append(times)
        case .communication: calls.append(times)
        case .patches: patches.append(times)
        default: flights.append(times)
        }
    }

    func shares(since begin: Int64, nanoseconds: Int64) -> TimelineShares {
        func inside(_ intervals: [Range<Int64>]) -> [Range<Int64>] {
            intervals.filter { $0.lowerBound >= begin }
        }
        let (compute, calls) = (inside(compute), inside(calls))
        let flights = Self.union(inside(flights))
        func share(_ part: Int64) -> Double { Double(part) / Double(max(nanoseconds, 1)) }
        return TimelineShares(
            seconds: Double(nanoseconds) / 1e9,
            compute: share(Self.length(compute) - Self.overlap(compute, calls)),
            exposed: share(Self.length(calls)),
            hidden: share(Self.length(flights) - Self.overlap(flights, calls)),
            patches: share(Self.length(inside(patches))))
    }

    private static func length(_ intervals: [Range<Int64>]) -> Int64 {
        intervals.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
    }

    /// Intervals that may overlap, as ones that do not, ascending.
    private static func union(_ intervals: [Range<Int64>]) -> [Range<Int64>] {
        var joined: [Range<Int64>] = []
        for next in intervals.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = joined.last, next.lowerBound <= last.upperBound {
                joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, next.upperBound)
            } else {
                joined.append(next)
            }
        }
        return joined
    }

    /// How long both are under way; each ascending and without overlap in itself.
    private static func overlap(_ first: [Range<Int64>], _ second: [Range<Int64>]) -> Int64 {
        var (total, i, j): (Int64, Int, Int) = (0, 0, 0)
        while i < first.count, j < second.count {
            total += length([first[i].clamped(to: second[j])])
            if first[i].upperBound < second[j].upperBound { i += 1 } else { j += 1 }
        }
        return total
    }
}

extension Double {
    /// With so many decimals.
    func fixed(_ decimals: Int) -> String {
        String(format: "%.\(decimals)f", self)
    }
}
