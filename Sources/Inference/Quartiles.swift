/// Median and quartiles of a sample.
///
/// A quantile between two ordered values is interpolated linearly between them, at position
/// `q * (n - 1)` counted from 0: numpy's default (`method="linear"`), R's type 7.
public struct Quartiles: Sendable, Equatable {
    /// The quantile at 1/4, in the unit of the sample.
    public let lower: Double
    /// The quantile at 1/2, in the unit of the sample.
    public let median: Double
    /// The quantile at 3/4, in the unit of the sample.
    public let upper: Double

    /// Upper less lower quartile.
    public var interquartileRange: Double { upper - lower }

    /// - Returns: nil for an empty sample or one that holds a value that is not a number.
    public init?(of sample: some Sequence<Double>) {
        let ordered = sample.sorted()
        guard !ordered.isEmpty, !ordered.contains(where: \.isNaN) else { return nil }
        lower = Self.quantile(0.25, of: ordered)
        median = Self.quantile(0.5, of: ordered)
        upper = Self.quantile(0.75, of: ordered)
    }

    private static func quantile(_ fraction: Double, of ordered: [Double]) -> Double {
        let position = fraction * Double(ordered.count - 1)
        let below = Int(position)
        let above = min(below + 1, ordered.count - 1)
        return ordered[below] + (position - Double(below)) * (ordered[above] - ordered[below])
    }
}
