/// What the choice of a bucket size was made by.
public struct BucketTuning: Sendable, Equatable {
    /// Bytes of gradients in a bucket until now.
    public let before: Int
    /// Bytes of gradients in a bucket from now on.
    public let chosen: Int
    /// Seconds after backward that the model expects of the size until now.
    public let exposedBefore: Double
    /// Seconds after backward that the model expects of the size that was chosen.
    public let exposedChosen: Double
    /// Seconds of the reduction of one bucket with nothing beside it, by its bytes.
    public let timings: TimedSizes
    /// Seconds that the choice took.
    public let seconds: Double
}

extension GradientReducer {
    /// Times the reduction of buckets of several sizes, on zeros, and from then on uses the size that leaves
    /// the least after backward, if backward goes on as in the last step: see ``BucketSchedule``. Rank 0
    /// decides for all. Collective, between steps; takes about `budget` seconds, unless a single bucket takes
    /// longer.
    ///
    /// The sums of more than two ranks may differ in their last bits from one size to another, as MPI chooses
    /// its order of addition by size; with `Order.tree` they do not.
    /// - Returns: nil with one rank and where the smallest bucket holds all, so that there is nothing to
    ///   choose.
    public func tuneBuckets(budget: Double = 0.8) throws(MPIError) -> BucketTuning? {
        let candidates = BucketSchedule.candidates(bytes: profile.bytes)
        guard communicator.size > 1, candidates.count > 1 else { return nil }
        let begin = ContinuousClock.now
        let timings = try timeBuckets(candidates, budget: budget)
        let schedule = BucketSchedule(profile: profile, cost: .measured(timings))
        let stride = MemoryLayout<Float>.stride
        let before = bucketCount * stride
        let best = schedule.best(of: candidates)
        // What is as good stays as it is.
        let stays = schedule.exposedSeconds(bucketBytes: before) <= schedule.exposedSeconds(bucketBytes: best)
        var word = [Int64(stays ? before : best)]
        try communicator.broadcast(&word, from: 0)
        let chosen = Int(word[0])
        setBucketCount(chosen / stride)
        // What the steps hide is told by the reduction in the new buckets.
        let serial = schedule.serialSeconds(bucketBytes: chosen)
        try calibrate(repeats: max(1, min(5, Int(budget / 4 / max(serial, 1e-6)))))
        return BucketTuning(
            before: before, chosen: chosen, exposedBefore: schedule.exposedSeconds(bucketBytes: before),
            exposedChosen: schedule.exposedSeconds(bucketBytes: chosen), timings: timings,
            seconds: begin.secondsToNow)
    }

    /// Smaller sizes first, up to five times each, as long as the budget lasts; equal on all ranks.
    private func timeBuckets(_ sizes: [Int], budget: Double) throws(MPIError) -> TimedSizes {
        let scratch = FloatStore(zeros: gradients.count)
        let feedback = ErrorFeedback()
        var points: [TimedSizes.Point] = []
        var left = budget
        for bytes in sizes {
            let expected = points.isEmpty ? 0 : TimedSizes(points).seconds(bytes: bytes)
            // One more warms up.
            let repeats = expected > 0 ? min(5, Int(min(left / expected, 6)) - 1) : 5
            guard repeats > 0 else { break }
            let bucket = 0..<bytes / MemoryLayout<Float>.stride
            let seconds = try communicator.seconds(repeats: repeats) { () throws(MPIError) in
                try startSum(bucket, of: scratch.values, owner: scratch, feedback: feedback).wait()
            }
            points.append(TimedSizes.Point(bytes: bytes, seconds: seconds))
            left -= seconds * Double(repeats + 1)
        }
        return TimedSizes(points)
    }
}
