/// When backward completed which part of the gradients in one step: what their reduction can start with, and
/// when.
public struct BackwardProfile: Sendable, Equatable {
    /// From `seconds` on, the first `bytes` bytes of the gradients are final.
    public struct Mark: Sendable, Equatable {
        /// Of float32 gradients, 4 a value, whatever goes over the wire.
        public let bytes: Int
        /// Since the first mark of the step.
        public let seconds: Double

        public init(bytes: Int, seconds: Double) { (self.bytes, self.seconds) = (bytes, seconds) }
    }

    /// Ascending in both; the last one has all gradients.
    public let marks: [Mark]
    /// When backward ended, since the first mark.
    public let endSeconds: Double

    /// - Precondition: marks ascend.
    public init(marks: [Mark] = [], endSeconds: Double = 0) {
        precondition(
            zip(marks, marks.dropFirst()).allSatisfy { $0.bytes < $1.bytes && $0.seconds <= $1.seconds },
            "the marks of backward do not ascend")
        (self.marks, self.endSeconds) = (marks, endSeconds)
    }

    /// Of all gradients.
    public var bytes: Int { marks.last?.bytes ?? 0 }

    /// When the first `bytes` bytes were final; backward's end for more than there are.
    public func readySeconds(bytes: Int) -> Double {
        var range = marks.indices
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            range =
                marks[middle].bytes >= bytes
                ? range.lowerBound..<middle : middle + 1..<range.upperBound
        }
        return range.lowerBound < marks.count ? marks[range.lowerBound].seconds : endSeconds
    }

    /// The same backward, taking `factor` times as long.
    public func scaled(by factor: Double) -> BackwardProfile {
        BackwardProfile(
            marks: marks.map { Mark(bytes: $0.bytes, seconds: $0.seconds * factor) },
            endSeconds: endSeconds * factor)
    }
}

extension BackwardProfile {
    /// Takes the profile of a step while it runs.
    struct Recorder {
        private var begin: ContinuousClock.Instant?
        private var marks: [Mark] = []

        /// Says that the first `bytes` bytes are final now.
        mutating func note(bytes: Int) {
            guard bytes > marks.last?.bytes ?? 0 else { return }
            let now = ContinuousClock.now
            let first = begin ?? now
            begin = first
            marks.append(Mark(bytes: bytes, seconds: first.duration(to: now) / .seconds(1)))
        }

        /// Ends the step's profile now and begins the next one's.
        mutating func finish() -> BackwardProfile {
            defer { self = Recorder() }
            return BackwardProfile(marks: marks, endSeconds: begin?.secondsToNow ?? 0)
        }
    }
}
