/// What a message between two ranks costs: `latencySeconds + bytes / bytesPerSecond` (alpha and 1 / beta in
/// the literature), all ranks sending and receiving at once.
public struct Link: Sendable, Equatable {
    /// Seconds of a message without content.
    public let latencySeconds: Double
    /// Bytes a second in each direction, above 0.
    public let bytesPerSecond: Double

    public init(latencySeconds: Double, bytesPerSecond: Double) {
        precondition(
            latencySeconds >= 0 && bytesPerSecond > 0,
            "a link of \(latencySeconds) s and \(bytesPerSecond) bytes/s carries nothing")
        (self.latencySeconds, self.bytesPerSecond) = (latencySeconds, bytesPerSecond)
    }

    /// Seconds of an all-gather in which each of the ranks gives `bytes` bytes, by recursive doubling:
    /// ceil(log2 N) messages, and what the N - 1 others give comes in.
    public func allGatherSeconds(bytes: Int, ranks: Int) -> Double {
        Double(doublings(to: ranks)) * latencySeconds + Double((ranks - 1) * bytes) / bytesPerSecond
    }
}

/// How the messages of an all-reduce go. Both send 2 (N - 1) / N of the bytes.
public enum ReductionAlgorithm: String, Sendable, CaseIterable {
    /// Reduce-scatter and all-gather around a ring: 2 (N - 1) messages one after the other.
    case ring
    /// Recursive halving, then doubling: 2 ceil(log2 N) messages one after the other.
    case tree

    /// Messages one after the other.
    public func messages(ranks: Int) -> Int {
        switch self {
        case .ring: 2 * (ranks - 1)
        case .tree: 2 * doublings(to: ranks)
        }
    }

    /// Bytes that a rank sends for each byte that is reduced.
    public static func volume(ranks: Int) -> Double { 2 * Double(ranks - 1) / Double(ranks) }
}

/// What the reduction of one bucket costs, with nothing beside it.
public enum ReductionCost: Sendable, Equatable {
    /// From sizes that were timed.
    case measured(TimedSizes)
    /// messages * latency + volume * bytes / bandwidth.
    case modelled(ReductionAlgorithm, ranks: Int, Link)

    /// Seconds of the reduction of so many bytes of gradients.
    public func seconds(bytes: Int) -> Double {
        switch self {
        case .measured(let sizes): sizes.seconds(bytes: bytes)
        case .modelled(let algorithm, let ranks, let link):
            Double(algorithm.messages(ranks: ranks)) * link.latencySeconds
                + ReductionAlgorithm.volume(ranks: ranks) * Double(bytes) / link.bytesPerSecond
        }
    }
}

/// Times of an operation by its size.
public struct TimedSizes: Sendable, Equatable {
    /// A size that was timed.
    public struct Point: Sendable, Equatable {
        /// Bytes that a rank gives.
        public let bytes: Int
        /// Seconds of the slowest rank.
        public let seconds: Double

        public init(bytes: Int, seconds: Double) { (self.bytes, self.seconds) = (bytes, seconds) }
    }

    /// Ascending in bytes; one at least.
    public let points: [Point]

    /// - Precondition: one at least, of different positive sizes.
    public init(_ points: [Point]) {
        let sorted = points.sorted { $0.bytes < $1.bytes }
        precondition(
            sorted.first.map { $0.bytes > 0 } ?? false
                && zip(sorted, sorted.dropFirst()).allSatisfy { $0.bytes < $1.bytes },
            "\(points.count) timed sizes are no curve")
        self.points = sorted
    }

    /// Between two sizes on the line through their times; below the first one its time; beyond the last one
    /// on the line through the last two, which never falls.
    public func seconds(bytes: Int) -> Double {
        let above = points.firstIndex { $0.bytes >= bytes } ?? points.count
        guard above > 0 else { return points[0].seconds }
        guard points.count > 1 else { return points[0].seconds * Double(bytes) / Double(points[0].bytes) }
        let right = min(above, points.count - 1)
        let (from, to) = (points[right - 1], points[right])
        let slope = (to.seconds - from.seconds) / Double(to.bytes - from.bytes)
        return above < points.count
            ? from.seconds + slope * Double(bytes - from.bytes)
            : to.seconds + max(0, slope) * Double(bytes - to.bytes)
    }
}

/// The smallest k with 2^k >= `ranks`.
private func doublings(to ranks: Int) -> Int {
    precondition(ranks > 0, "\(ranks) ranks")
    return Int.bitWidth - (ranks - 1).leadingZeroBitCount
}
