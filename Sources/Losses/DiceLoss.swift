import Engine

/// The Dice loss of two classes (DL2) as Sudre et al. 2017 print it after Milletari et al. 2016, for L
/// classes:
///
///     DL2 = 1 - 2/L sum_l (I_l + e) / (V_l + P_l + e)
///
/// There is no factor 2 in the terms: each is at most a half, and for two classes they add up to 1 at a
/// perfect match. A class that is neither in the reference nor predicted adds e / e = 1 instead, so that the
/// loss can be negative, down to -1: that is the printed form too.
public struct DiceLoss: SegmentationLoss {
    /// e, in voxels.
    public static let epsilon = 1e-5

    /// Whether each patch has sums of its own, or the global batch has one for all.
    public let pooling: Pooling

    public init(pooling: Pooling = .image) { self.pooling = pooling }

    public func value(_ sums: LossSums) -> Double {
        let scores = sums.reference.indices.map { label in
            (sums.intersection[label] + Self.epsilon) / denominator(sums, label)
        }
        return 1 - 2 / Double(scores.count) * scores.reduce(0, +)
    }

    public func gradient(_ sums: LossSums) -> LossGradient {
        let share = 2 / Double(sums.reference.count)
        return LossGradient(
            constant: sums.reference.indices.map { label in
                let denominator = denominator(sums, label)
                return share * (sums.intersection[label] + Self.epsilon) / (denominator * denominator)
            },
            reference: sums.reference.indices.map { -share / denominator(sums, $0) })
    }

    private func denominator(_ sums: LossSums, _ label: Int) -> Double {
        sums.reference[label] + sums.prediction[label] + Self.epsilon
    }
}
