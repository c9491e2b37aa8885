import Inference

/// What a box plot draws of a sample.
struct BoxSummary: Equatable {
    let spread: Quartiles
    /// The farthest values within 1.5 interquartile ranges of the quartiles.
    let whiskers: ClosedRange<Double>
    /// The values beyond, ascending.
    let outliers: [Double]
    let count: Int

    /// - Returns: nil for an empty sample or one that holds a value that is not a number.
    init?(of sample: some Sequence<Double>) {
        let ordered = sample.sorted()
        guard let spread = Quartiles(of: ordered) else { return nil }
        let reach = 1.5 * spread.interquartileRange
        let inside = ordered.filter { spread.lower - reach <= $0 && $0 <= spread.upper + reach }
        self.spread = spread
        let whiskers = (inside.first ?? spread.median)...(inside.last ?? spread.median)
        self.whiskers = whiskers
        outliers = ordered.filter { !whiskers.contains($0) }
        count = ordered.count
    }
}
