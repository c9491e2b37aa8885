/// How far the clocks of the ranks are apart.
///
/// Hosts count from different moments, such as their start. What ties them together is that no rank leaves a
/// barrier before every rank has entered it: where rank r enters and leaves at `e_r` and `l_r` by its own
/// clock, the time by which that clock is ahead of rank 0's lies in `e_r - l_0 ... l_r - e_0`. Every barrier
/// gives such bounds, and what all of them leave is about as wide as the fastest barrier took: microseconds
/// to tens of them. Processes on one host share its clock.
public struct ClockOffsets: Sendable, Equatable {
    /// Nanoseconds by which the clock of each rank is ahead of rank 0's, by rank.
    public let nanoseconds: [Int64]

    /// Nanoseconds by which each of them may be wrong, by rank.
    public let errors: [Int64]

    /// When a rank entered a barrier and when it left it, in nanoseconds by its own clock.
    public struct Passage: Sendable, Equatable {
        /// Nanoseconds by the rank's clock when it called the barrier.
        public let entered: Int64
        /// Nanoseconds by the rank's clock when the barrier let it go.
        public let left: Int64

        public init(entered: Int64, left: Int64) { (self.entered, self.left) = (entered, left) }
    }

    /// What the barriers tell; of another host's clock nothing, where there is none.
    /// - Parameters:
    ///   - passages: of every rank, by rank, through the same barriers in the same order.
    ///   - hosts: of every rank, by rank.
    public init(_ passages: [[Passage]], hosts: [String]) {
        precondition(
            passages.count == hosts.count && passages.allSatisfy { $0.count == passages[0].count },
            "\(passages.map(\.count)) passages of ranks on \(hosts.count) hosts")
        // More than any two clocks are apart: a century.
        let unknown = Int64(3_200_000_000) * 1_000_000_000
        let references = hosts.indices.filter { hosts[$0] == hosts[0] }
        let bounds = hosts.map { host -> (Int64, Int64) in
            guard host != hosts[0] else { return (0, 0) }
            // All of a host together: they share the clock that is looked for.
            let members = hosts.indices.filter { hosts[$0] == host }
            var (lower, upper) = (-unknown, unknown)
            for member in members {
                for reference in references {
                    for (here, there) in zip(passages[member], passages[reference]) {
                        lower = max(lower, here.entered - there.left)
                        upper = min(upper, here.left - there.entered)
                    }
                }
            }
            return (lower, upper)
        }
        nanoseconds = bounds.map { $0.0 + ($0.1 - $0.0) / 2 }
        errors = bounds.map { max($0.1 - $0.0, 0) / 2 }
    }

    /// Compares the clocks. Collective; takes as long as some dozens of barriers, and some hundreds where
    /// ranks are kept from running; nothing where all ranks are on one host.
    /// - Parameter now: this rank's clock in nanoseconds, which only goes forward and is that of its host.
    public static func measure(
        on communicator: any Communicator, now: () -> Int64
    ) throws(MPIError) -> ClockOffsets {
        let hosts = communicator.hostNames
        var passages = hosts.map { _ in [Passage]() }
        var offsets = ClockOffsets(passages, hosts: hosts)
        // All ranks know the same bounds, so that they agree when to stop.
        while offsets.errors.contains(where: { $0 > goodError }), passages[0].count < mostBarriers {
            var own: [Int64] = []
            for _ in 0..<barriersAtATime {
                own.append(now())
                try communicator.barrier()
                own.append(now())
            }
            let all = try communicator.allGather(own)
            for rank in passages.indices {
                passages[rank] += stride(from: rank * own.count, to: (rank + 1) * own.count, by: 2)
                    .map { Passage(entered: all[$0], left: all[$0 + 1]) }
            }
            offsets = ClockOffsets(passages, hosts: hosts)
        }
        return offsets
    }

    private static let barriersAtATime = 40
    private static let mostBarriers = 600
    /// Nanoseconds that no drawing shows.
    private static let goodError: Int64 = 20_000
}
