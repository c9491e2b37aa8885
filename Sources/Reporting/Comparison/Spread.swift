import Training

/// Median and quartiles of a sample, interpolated linearly between ordered values.
public struct Spread: Sendable, Equatable {
    public let lower: Double
    public let median: Double
    public let upper: Double

    /// Upper less lower quartile.
    public var interquartileRange: Double { upper - lower }

    /// - Returns: nil for an empty sample or one that holds a value that is not a number.
    public init?(of sample: some Sequence<Double>) {
        let ordered = sample.sorted()
        guard !ordered.isEmpty, !ordered.contains(where: \.isNaN) else { return nil }
        lower = quantile(0.25, ofSorted: ordered)
        median = quantile(0.5, ofSorted: ordered)
        upper = quantile(0.75, ofSorted: ordered)
    }
}

/// What a box plot draws of a sample.
struct BoxSummary: Equatable {
    let spread: Spread
    /// The farthest values within 1.5 interquartile ranges of the quartiles.
    let whiskers: ClosedRange<Double>
    /// The values beyond, ascending.
    let outliers: [Double]
    let count: Int

    /// - Returns: nil for an empty sample or one that holds a value that is not a number.
    init?(of sample: some Sequence<Double>) {
        let ordered = sample.sorted()
        guard let spread = Spread(of: ordered) else { return nil }
        let reach = 1.5 * spread.interquartileRange
        let inside = ordered.filter { spread.lower - reach <= $0 && $0 <= spread.upper + reach }
        self.spread = spread
        let whiskers = (inside.first ?? spread.median)...(inside.last ?? spread.median)
        self.whiskers = whiskers
        outliers = ordered.filter { !whiskers.contains($0) }
        count = ordered.count
    }
}
