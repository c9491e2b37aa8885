/// Where this rank computes: its node, the cores it may use, and how many threads it should start.
///
/// The cores of a node are dealt to the ranks that may run on them, by their affinity masks: a rank bound to
/// cores of its own takes these; n ranks that share C cores take C / n each, the first ones one more when n
/// does not divide C. A processor quota of the container is divided likewise. A rank always has at least one
/// thread. A core is what the operating system schedules on: a hardware thread, where cores have several.
public struct Placement: Sendable, Equatable {
    /// Name of this rank's node.
    public let hostName: String

    /// Ranks on this node, ascending.
    public let ranksOnNode: [Int]

    /// Cores that this rank may run on, by its affinity mask, ascending.
    public let cores: [Int]

    /// Those of `cores` that fall to this rank when all ranks of the node divide theirs fairly, ascending;
    /// none may be left, when there are more ranks than cores.
    public let share: [Int]

    /// Processors' worth of time that the ranks of this node may use together; nil without a limit.
    public let quota: Double?

    /// Threads this rank should compute with: what was asked for, or its fair share.
    public let threads: Int

    /// One sentence if the ranks of this node have more threads than cores; nil if not.
    public let oversubscription: String?

    /// One sentence if binding leaves cores of this node idle; nil if not.
    public let idleCores: String?
}

/// How many threads a rank computes with.
public enum ThreadRequest: Sendable, Equatable, CustomStringConvertible {
    /// Its fair share of the cores.
    case automatic
    /// This many, at least 1.
    case exactly(Int)

    /// From "auto" or a number of at least 1; nil for anything else.
    public init?(_ text: String) {
        if text == "auto" {
            self = .automatic
        } else if let count = Int(text), count >= 1 {
            self = .exactly(count)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .automatic: "auto"
        case .exactly(let count): "\(count)"
        }
    }
}

extension Placement {
    /// What a rank knows of itself, and tells the others.
    struct Resources: Sendable, Equatable {
        var rank: Int
        /// Affinity mask, as ascending core numbers; at least one.
        var cores: [Int]
        /// Cores that its launcher may run on, which binding has taken this rank's from; at least one.
        var launcherCores: [Int]
        /// Processors' worth of time; nil without a limit.
        var quota: Double?
    }

    /// The placement of `rank` among the ranks of its `node`. `threads` holds for all of them.
    init(rank: Int, host: String, node: [Resources], threads request: ThreadRequest) {
        guard let own = node.firstIndex(where: { $0.rank == rank }) else {
            preconditionFailure("rank \(rank) is not among those of its node: \(node.map(\.rank))")
        }
        let shares = Placement.deal(node.map(\.cores))
        let quota = node.compactMap(\.quota).min()
        let counts = node.indices.map { index in
            switch request {
            case .exactly(let count): return count
            case .automatic:
                let limit = quota.map { Placement.part(index, of: node.count, in: Int($0)) } ?? Int.max
                return max(1, min(shares[index].count, limit))
            }
        }
        hostName = host
        ranksOnNode = node.map(\.rank)
        cores = node[own].cores
        share = shares[own]
        self.quota = quota
        threads = counts[own]
        oversubscription = Placement.oversubscription(node, counts, quota: quota, host: host)
        idleCores = Placement.idleCores(node, quota: quota, host: host)
    }

    /// Cores for each of `masks`, each core to one that has it: as equal in number as the masks allow, and in
    /// case of doubt to the first.
    static func deal(_ masks: [[Int]]) -> [[Int]] {
        var users: [Int: [Int]] = [:]
        for (index, mask) in masks.enumerated() {
            for core in mask { users[core, default: []].append(index) }
        }
        var shares = [[Int]](repeating: [], count: masks.count)
        // Cores that few may use go first, so that those who have a choice can make up for them.
        for (core, candidates) in users.sorted(by: { ($0.value.count, $0.key) < ($1.value.count, $1.key) }) {
            if let taker = candidates.min(by: { (shares[$0].count, $0) < (shares[$1].count, $1) }) {
                shares[taker].append(core)
            }
        }
        return shares.map { $0.sorted() }
    }

    /// Part `index` of `total` divided into `count` whole parts, the first ones the larger.
    static func part(_ index: Int, of count: Int, in total: Int) -> Int {
        total / count + (index < total % count ? 1 : 0)
    }

    private static func oversubscription(
        _ node: [Resources], _ threads: [Int], quota: Double?, host: String
    ) -> String? {
        let total = threads.reduce(0, +)
        let cores = Set(node.flatMap(\.cores)).count
        let advice = "steps will be slower than with fewer ranks or threads"
        if total > cores {
            return "\(node.count.counted("rank")) with \(total.counted("thread")) in all share "
                + "\(cores.counted("core")) on \(host): \(advice)."
        }
        if let quota, Double(total) > max(quota.rounded(.down), 1) {
            return "\(node.count.counted("rank")) with \(total.counted("thread")) in all share a quota of "
                + "\(quota) processors on \(host): \(advice)."
        }
        if let crowded = node.indices.first(where: { threads[$0] > node[$0].cores.count }) {
            return "Rank \(node[crowded].rank) has \(threads[crowded].counted("thread")) but is bound to "
                + "\(node[crowded].cores.count.counted("core")) on \(host): \(advice)."
        }
        return nil
    }

    private static func idleCores(_ node: [Resources], quota: Double?, host: String) -> String? {
        let used = Set(node.flatMap(\.cores))
        let available = used.union(node.flatMap(\.launcherCores)).count
        let usable = min(available, quota.map { max(1, Int($0)) } ?? available)
        guard used.count < usable else { return nil }
        return "\(node.count.counted("rank")) on \(host) may run on \(used.count) of its "
            + "\(available.counted("core")); with mpirun, --bind-to none lets them use all."
    }
}

extension Int {
    /// "1 core", "2 cores".
    fileprivate func counted(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
