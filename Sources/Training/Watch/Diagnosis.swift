/// Says which rank a job waits for, from what is known of all of them.
struct Diagnosis {
    struct Witness {
        /// What it last said.
        var activity: RankActivity
        /// Seconds since it said so.
        var silence: Double
    }

    let hostNames: [String]
    /// How long a rank may make no progress, in seconds.
    let timeout: Double
    /// After how many seconds of silence a rank is lost.
    let longestSilence: Double

    /// Whether the job has waited for too long. A rank that waits is no sign of it by itself, nor is a silent
    /// one: the rank that is waited for may compute, and messages may be lost while MPI's are not.
    /// - Parameter witnesses: By rank; the first is this one.
    func isDue(_ witnesses: [Witness]) -> Bool {
        func isIdle(_ rank: Int) -> Bool { witnesses[rank].silence + witnesses[rank].activity.idle > timeout }
        if !lost(witnesses).isEmpty { return isIdle(0) }
        let behind = behind(witnesses)
        return behind.count == witnesses.count ? behind.allSatisfy(isIdle) : behind.contains(where: isIdle)
    }

    /// Whether a rank that knows of no other has waited for too long. In a call it may wait for one that
    /// computes, which ends the job itself where that takes too long.
    func isDueUnheard(_ own: RankActivity) -> Bool {
        own.idle > (own.call.isEmpty ? timeout : Self.unheardPatience * timeout)
    }

    /// How many timeouts a call may take of which nobody knows whom it waits for.
    private static let unheardPatience = 4.0

    private func lost(_ witnesses: [Witness]) -> [Int] {
        witnesses.indices.filter { witnesses[$0].silence > longestSilence }
    }

    /// Those that have begun the fewest operations with others.
    private func behind(_ witnesses: [Witness]) -> [Int] {
        let least = witnesses.map(\.activity.operations).min() ?? 0
        return witnesses.indices.filter { witnesses[$0].activity.operations == least }
    }

    /// One sentence. A rank that is silent is lost; else the one that has begun the fewest operations with
    /// others is what the others wait for; where all have begun as many, nothing gets through.
    /// - Parameter witnesses: By rank.
    func sentence(_ witnesses: [Witness]) -> String {
        let lost = lost(witnesses)
        if let first = lost.first {
            let witness = witnesses[first]
            return """
                \(names(lost)) \(lost.count == 1 ? "has" : "have") not been heard of for \(Int(witness.silence)) s, and the \
                others wait (distributed.timeout: \(Self.seconds(timeout))): \
                \(lost.count == 1 ? "it" : "rank \(first)") was last heard \(witness.activity.description). The process, \
                its host or the link to it is lost.
                """
        }
        let behind = behind(witnesses)
        guard let first = behind.max(by: { witnesses[$0].activity.idle < witnesses[$1].activity.idle }) else {
            return "No rank is known."
        }
        let activity = witnesses[first].activity
        if behind.count == witnesses.count, behind.count > 1 {
            return """
                No rank of \(behind.count) made progress for \(Self.seconds(timeout)) (distributed.timeout): rank \(first) \
                on \(hostNames[first]) was \(activity.description), as all others, and what they send each other does not \
                arrive.
                """
        }
        return """
            \(names(behind)) made no progress for \(Int(activity.idle)) s (distributed.timeout: \(Self.seconds(timeout))): \
            \(behind.count == 1 ? "it" : "rank \(first)") was \
            \(activity.description)\(witnesses.count > 1 ? ", and other ranks wait for it" : "").
            """
    }

    /// What a rank can say that knows of no other.
    func sentence(unheard own: RankActivity, rank: Int) -> String {
        """
        rank \(rank) on \(hostNames[rank]) made no progress for \(Int(own.idle)) s (distributed.timeout: \
        \(Self.seconds(timeout))): it was \(own.description).
        """
    }

    /// What it means for the user where a rank and rank 0 do not hear each other: two sentences.
    func warning(unreachable rank: Int) -> String {
        """
        Rank \(rank) on \(hostNames[rank]) and rank 0 on \(hostNames[0]) do not reach each other by UDP: where a rank is \
        lost, those that wait for it in MPI end the job without naming it, after \
        \(Self.seconds(Self.unheardPatience * timeout)) (\(Int(Self.unheardPatience)) times distributed.timeout). They \
        cannot tell a lost rank from one that is slow: if ranks may have to wait for longer than that, raise \
        distributed.timeout.
        """
    }

    /// "rank 2 on host3", "ranks 2 on host3 and 3 on host4", at most four of them.
    private func names(_ ranks: [Int]) -> String {
        let shown = ranks.prefix(4).map { "\($0) on \(hostNames[$0])" }
        let rest = ranks.count > 4 ? ["\(ranks.count - 4) more"] : []
        let all = shown + rest
        let list =
            all.count == 1 ? all[0] : all.dropLast().joined(separator: ", ") + " and " + all[all.count - 1]
        return (ranks.count == 1 ? "rank " : "ranks ") + list
    }

    private static func seconds(_ seconds: Double) -> String { "\(Int(seconds)) s" }
}
