import Inference

/// DSC of the foreground over the held-out subjects: each counts once, undefined ones do not occur (two empty
/// segmentations have a DSC of 1).
public struct HeldOutScores: Codable, Sendable, Equatable {
    /// Optimiser steps done when they were scored.
    public var step: Int
    public var subjects: Int
    public var dscMean: Double
    public var dscMedian: Double
    public var dscLowerQuartile: Double
    public var dscUpperQuartile: Double

    /// - Parameter table: Scores of at least one subject.
    public init(_ table: ScoreTable, step: Int) {
        let dice = table.foreground.map(\.dice)
        guard let quartiles = Quartiles(of: dice) else { preconditionFailure("scores of no subject") }
        self.step = step
        subjects = dice.count
        dscMean = dice.reduce(0, +) / Double(dice.count)
        (dscMedian, dscLowerQuartile, dscUpperQuartile) = (quartiles.median, quartiles.lower, quartiles.upper)
    }
}
