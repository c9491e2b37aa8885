/// A sum by rank, of which values and sums go over the wire as bfloat16, with error feedback on both ways.
///
/// What is rounded is the value and the residual of its last rounding; what rounding takes away is the next
/// residual (F. Seide et al., 1-Bit Stochastic Gradient Descent, Interspeech 2014; S. P. Karimireddy et al.,
/// Error Feedback Fixes SignSGD, ICML 2019). So nothing that rounding takes is lost, but late by some steps.
///
/// A number that is not finite, or too large for bfloat16, goes over the wire as such and leaves a residual
/// of 0.
final class BFloat16Sum: PartwiseSum {
    private let values: UnsafeMutableBufferPointer<Float>
    private let residual: BucketResidual
    private let owner: AnyObject

    var count: Int { values.count }

    /// `owner` keeps `values` alive.
    init(_ values: UnsafeMutableBufferPointer<Float>, residual: BucketResidual, owner: AnyObject) {
        precondition(
            residual.values.values.count == values.count,
            "residuals of \(residual.values.values.count) values for \(values.count)")
        (self.values, self.residual, self.owner) = (values, residual, owner)
    }

    func pack(into sent: UnsafeMutableBufferPointer<BFloat16>) {
        let (values, rest) = (values, residual.values.values)
        for index in values.indices {
            let value = values[index] + rest[index]
            let rounded = BFloat16(value)
            sent[index] = rounded
            rest[index] = rounded.rest(of: value)
        }
    }

    func add(_ received: UnsafeMutableBufferPointer<BFloat16>, part: Int) {
        // The residuals hold the sums until they are rounded.
        let sums = residual.sums.values
        precondition(sums.count == part, "residuals of \(sums.count) sums for \(part)")
        for begin in stride(from: 0, to: received.count, by: part) {
            let term = received.extracting(begin..<begin + part)
            for index in sums.indices { sums[index] += term[index].float }
        }
        for index in sums.indices {
            let rounded = BFloat16(sums[index])
            received[index] = rounded
            sums[index] = rounded.rest(of: sums[index])
        }
    }

    func unpack(_ sums: UnsafeMutableBufferPointer<BFloat16>) {
        let values = values
        for index in values.indices { values[index] = sums[index].float }
    }
}
