/// The line `intercept + slope * bytes` through the times of an operation.
///
/// Least squares of the relative differences: sizes from bytes to megabytes then count alike, where absolute
/// ones would only see the largest.
public struct LinkFit: Sendable, Equatable {
    /// Seconds of the smallest message.
    public let intercept: Double
    /// Seconds a byte.
    public let slope: Double
    /// Root mean square of (fit - time) / time.
    public let relativeError: Double

    /// Neither of the two is below 0: where the best line's would be, the other is fitted alone.
    /// - Precondition: times are positive.
    public init(_ sizes: TimedSizes) {
        precondition(sizes.points.allSatisfy { $0.seconds > 0 }, "an operation that takes no time")
        // Sums of w, w n, w n^2, w t and w n t, with w = 1 / t^2.
        var (one, n, nn, t, nt) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for point in sizes.points {
            let weight = 1 / (point.seconds * point.seconds)
            let bytes = Double(point.bytes)
            one += weight
            n += weight * bytes
            nn += weight * bytes * bytes
            t += weight * point.seconds
            nt += weight * bytes * point.seconds
        }
        let determinant = one * nn - n * n
        var (intercept, slope) = (t / one, 0.0)
        // A single size has no line.
        if determinant > 1e-12 * one * nn {
            (intercept, slope) = ((nn * t - n * nt) / determinant, (one * nt - n * t) / determinant)
        }
        if slope < 0 { (intercept, slope) = (t / one, 0) }
        if intercept < 0 { (intercept, slope) = (0, nt / nn) }
        (self.intercept, self.slope) = (intercept, slope)
        let squares = sizes.points.map { point in
            let ratio = (intercept + slope * Double(point.bytes)) / point.seconds - 1
            return ratio * ratio
        }
        relativeError = (squares.reduce(0, +) / Double(squares.count)).squareRoot()
    }

    /// Seconds that the line gives for so many bytes.
    public func seconds(bytes: Int) -> Double { intercept + slope * Double(bytes) }

    /// The link, where the times are those of one message.
    public var link: Link { Link(latencySeconds: intercept, bytesPerSecond: 1 / max(slope, 1e-15)) }

    /// The link, where the times are those of an all-reduce on `ranks` ranks, at least 2, by `algorithm`.
    public func link(reducingBy algorithm: ReductionAlgorithm, ranks: Int) -> Link {
        precondition(ranks > 1, "a reduction on \(ranks) rank")
        return Link(
            latencySeconds: intercept / Double(algorithm.messages(ranks: ranks)),
            bytesPerSecond: ReductionAlgorithm.volume(ranks: ranks) / max(slope, 1e-15))
    }
}
