/// How far the clocks of the ranks are apart.
///
/// Hosts count from different moments, such as their start. What ties them together is that no rank leaves a barrier
/// before every rank has entered it: where rank r enters and leaves at `e_r` and `l_r` by its own clock, the time by
/// which that clock is ahead of rank 0's lies in `e_r - l_0 ... l_r - e_0`. Every barrier gives such bounds, and what
/// all of them leave is about as wide as the fastest barrier took: microseconds to tens of them. Processes on one host
/// share its clock.
public struct ClockOffsets: Sendable, Equatable {
    /// Nanoseconds by which the clock of each rank is ahead of rank 0's, by rank.
    public let nanoseconds: [Int64]

    /// Nanoseconds by which each of them may be wrong, by rank.
    public let errors: [Int64]

    /// When a rank entered a barrier and when it left it, in nanoseconds by its own clock.
    public struct Passage: Sendable, Equatable {
        public let entered: Int64
        public let left: Int64

        public init(entered: Int64, left: Int64) { (self.entered, self.left) = (entered, left) }
    }

    /// - Parameters:
    ///   - passages: of every rank, by rank, through the same barriers in the same order; at least one.
    ///   - hosts: of every rank, by rank.
    public init(_ passages: [[Passage]], hosts: [String]) {
        precondition(
            passages.count == hosts.count && passages.allSatisfy { $0.count == passages[0].count },
            "\(passages.map(\.count)) passages of ranks on \(hosts.count) hosts")
        let references = hosts.indices.filter { hosts[$0] == hosts[0] }
        let bounds = hosts.map { host -> (Int64, Int64) in
            guard host != hosts[0] else { return (0, 0) }
            // All of a host together: they share the clock that is looked for.
            let members = hosts.indices.filter { hosts[$0] == host }
            var (lower, upper) = (Int64.min, Int64.max)
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

    /// Compares the clocks. Collective; takes as long as some dozens of barriers.
    /// - Parameters:
    ///   - barriers: more of them find a faster one.
    ///   - now: this rank's clock in nanoseconds, which only goes forward and is that of its host.
    public static func measure(
        on communicator: any Communicator, barriers: Int = 40, now: () -> Int64
    ) throws(MPIError) -> ClockOffsets {
        var own: [Int64] = []
        for _ in 0..<barriers {
            own.append(now())
            try communicator.barrier()
            own.append(now())
        }
        let all = try communicator.allGather(own)
        let passages = (0..<communicator.size).map { rank in
            (0..<barriers).map { barrier in
                let first = rank * own.count + 2 * barrier
                return Passage(entered: all[first], left: all[first + 1])
            }
        }
        return ClockOffsets(passages, hosts: communicator.hostNames)
    }
}
