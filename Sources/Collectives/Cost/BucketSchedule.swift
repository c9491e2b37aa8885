/// How long the reduction of a step's gradients goes on after backward, by the size of the buckets.
///
/// The model: a bucket starts when backward has completed it and the one before is done, and takes the time
/// that its size takes with nothing beside it. What it leaves out: that messages only move in the moments in
/// which the program is inside MPI, what these moments cost backward, and that buckets under way together can
/// share latencies.
public struct BucketSchedule: Sendable {
    /// When backward completes which part of the gradients.
    public let profile: BackwardProfile
    /// What the reduction of a bucket takes by its size.
    public let cost: ReductionCost

    public init(profile: BackwardProfile, cost: ReductionCost) { (self.profile, self.cost) = (profile, cost) }

    /// Seconds from the end of backward to the end of the reduction: what is not hidden.
    public func exposedSeconds(bucketBytes: Int) -> Double {
        precondition(bucketBytes > 0, "a bucket of \(bucketBytes) bytes holds nothing")
        var done = 0.0
        for begin in stride(from: 0, to: profile.bytes, by: bucketBytes) {
            let end = min(begin + bucketBytes, profile.bytes)
            done = max(done, profile.readySeconds(bytes: end)) + cost.seconds(bytes: end - begin)
        }
        return max(0, done - profile.endSeconds)
    }

    /// Seconds of the whole reduction with nothing beside it, one bucket after the other.
    public func serialSeconds(bucketBytes: Int) -> Double {
        let (full, rest) = profile.bytes.quotientAndRemainder(dividingBy: bucketBytes)
        return Double(full) * cost.seconds(bytes: bucketBytes) + (rest > 0 ? cost.seconds(bytes: rest) : 0)
    }

    /// The size that leaves the least exposed; of those within a thousandth of backward's time of that the
    /// largest, since fewer messages disturb backward less.
    public func best(of candidates: [Int]) -> Int {
        precondition(!candidates.isEmpty, "no bucket size to choose from")
        let exposed = candidates.map { (bytes: $0, seconds: exposedSeconds(bucketBytes: $0)) }
        let least = exposed.map(\.seconds).min() ?? 0
        let good = exposed.filter { $0.seconds <= least + profile.endSeconds / 1000 }
        return good.map(\.bytes).max() ?? candidates[0]
    }

    /// Sizes to choose from for gradients of `bytes` bytes: powers of two from 64 KiB on, and all in one
    /// bucket.
    public static func candidates(bytes: Int) -> [Int] {
        var sizes: [Int] = []
        var size = 64 << 10
        while size < bytes {
            sizes.append(size)
            size *= 2
        }
        return sizes + [max(bytes, 1)]
    }
}
