/// What rounding to bfloat16 took from the sum of a bucket and is still to be added.
final class BucketResidual {
    /// Of this rank's values, and of the sums of the part that this rank adds up.
    let values, sums: FloatStore

    init(count: Int, ranks: Int) {
        values = FloatStore(zeros: count)
        sums = FloatStore(zeros: (count + ranks - 1) / ranks)
    }
}

/// The residuals of all buckets: zeros at first, as many floats as gradients and, for the sums, a part of
/// that.
final class ErrorFeedback {
    private var residuals: [Range<Int>: BucketResidual] = [:]

    func residual(of bucket: Range<Int>, ranks: Int) -> BucketResidual {
        if let known = residuals[bucket] { return known }
        let new = BucketResidual(count: bucket.count, ranks: ranks)
        residuals[bucket] = new
        return new
    }

    func forget() { residuals = [:] }
}
