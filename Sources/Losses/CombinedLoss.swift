import Engine

/// A weighted sum of losses over the same pooling groups.
public struct CombinedLoss: SegmentationLoss {
    /// One of the losses, and the number that its value and gradient are multiplied by.
    public struct Term: Sendable {
        public let loss: any SegmentationLoss
        /// The number, without unit; 1 leaves the loss as it is.
        public let weight: Double

        public init(_ loss: any SegmentationLoss, weight: Double = 1) {
            (self.loss, self.weight) = (loss, weight)
        }
    }

    /// The losses that are added, at least one.
    public let terms: [Term]
    /// The pooling that all terms have.
    public let pooling: Pooling

    /// - Parameter terms: At least one; all with the same pooling.
    public init(_ terms: [Term]) {
        precondition(!terms.isEmpty, "a loss of no terms")
        precondition(Set(terms.map(\.loss.pooling)).count == 1, "terms of different pooling")
        self.terms = terms
        pooling = terms[0].loss.pooling
    }

    public func value(_ sums: LossSums) -> Double {
        terms.reduce(0) { $0 + $1.weight * $1.loss.value(sums) }
    }

    public func gradient(_ sums: LossSums) -> LossGradient {
        terms.reduce(LossGradient(classes: sums.reference.count)) {
            $0 + $1.loss.gradient(sums) * $1.weight
        }
    }
}
