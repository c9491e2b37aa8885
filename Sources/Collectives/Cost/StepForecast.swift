/// What a rank does in a step: all that a forecast of steps on other ranks and links needs.
public struct StepWork: Sendable, Equatable {
    /// Seconds of the step with no other rank.
    public let computeSeconds: Double
    /// When backward completes which part of the gradients.
    public let profile: BackwardProfile
    /// Bytes that a rank gives to each of the step's small exchanges, all-gathers; those of batch
    /// norm go on beside computation where there is some, which the forecast leaves out.
    public let exchanges: [Int]

    public init(computeSeconds: Double, profile: BackwardProfile, exchanges: [Int]) {
        self.computeSeconds = computeSeconds
        self.profile = profile
        self.exchanges = exchanges
    }

    /// Seconds of the small exchanges, none of them hidden.
    public func exchangeSeconds(ranks: Int, link: Link) -> Double {
        exchanges.reduce(0) { $0 + link.allGatherSeconds(bytes: $1, ranks: ranks) }
    }

    /// The step on `ranks` ranks.
    /// - Parameters:
    ///   - link: what the small exchanges go over, and the reduction as well unless `cost` says otherwise.
    ///   - bucketBytes: nil for the best of ``BucketSchedule/candidates(bytes:)``.
    public func forecast(
        ranks: Int, link: Link, algorithm: ReductionAlgorithm, cost: ReductionCost? = nil,
        bucketBytes: Int? = nil
    ) -> StepForecast {
        let schedule = BucketSchedule(
            profile: profile, cost: cost ?? .modelled(algorithm, ranks: ranks, link))
        let bucket = bucketBytes ?? schedule.best(of: BucketSchedule.candidates(bytes: profile.bytes))
        return StepForecast(
            bucketBytes: bucket, computeSeconds: computeSeconds,
            exposedSeconds: ranks > 1 ? schedule.exposedSeconds(bucketBytes: bucket) : 0,
            exchangeSeconds: ranks > 1 ? exchangeSeconds(ranks: ranks, link: link) : 0)
    }
}

/// The work of a step by the patches of a rank: on the line through two numbers of patches that were
/// measured.
public struct PatchWork: Sendable {
    /// The work of a step of one patch a rank.
    public let one: StepWork
    /// The work of a step of `patches` patches a rank, at least one.
    public let many: StepWork
    /// Patches of a rank that `many` was measured with.
    public let patches: Int

    public init(one: StepWork, many: StepWork, patches: Int) {
        precondition(patches > 0, "\(patches) patches")
        (self.one, self.many, self.patches) = (one, many, patches)
    }

    /// The work of `count` patches, whose small exchanges grow with their number. Where one patch is all that
    /// was measured, time is proportional to their number.
    public func work(patches count: Int) -> StepWork {
        let more = many.computeSeconds - one.computeSeconds
        let each = patches > 1 ? max(0, more) / Double(patches - 1) : one.computeSeconds
        let seconds =
            count == patches ? many.computeSeconds : one.computeSeconds + Double(count - 1) * each
        return StepWork(
            computeSeconds: seconds, profile: many.profile.scaled(by: seconds / many.computeSeconds),
            exchanges: many.exchanges.map { $0 * count / patches })
    }
}

/// Where the time of a step goes by the model.
public struct StepForecast: Sendable, Equatable {
    /// Bytes of gradients in a bucket.
    public let bucketBytes: Int
    /// Seconds of computation on each rank.
    public let computeSeconds: Double
    /// Seconds of the reduction that backward does not hide.
    public let exposedSeconds: Double
    /// Seconds of the small exchanges, none of them hidden.
    public let exchangeSeconds: Double

    /// Seconds of the whole step.
    public var stepSeconds: Double { computeSeconds + exposedSeconds + exchangeSeconds }
}
