import Engine

/// Weighted cross-entropy (WCE), for foreground classes l = 1, 2, ... and the background 0:
///
///     WCE = -1/N sum_l w_l C_l        C_l = sum_n r_ln log p_ln
///     w_0 = 1, w_l = (N - P_l) / P_l  P_l = sum_n p_ln
///
/// The weights follow the prediction and are constants of the gradient: the paper weights, it does not
/// differentiate them. For two classes this is the form printed by Sudre et al. 2017 (section 2), where p is
/// the foreground's.
///
/// A class predicted in less than a voxel altogether counts as predicted in one: the weight stays below N.
public struct WeightedCrossEntropy: SegmentationLoss {
    /// Whether each patch has weights and a mean of its own, or the global batch has one for all.
    public let pooling: Pooling

    public init(pooling: Pooling = .image) { self.pooling = pooling }

    public func value(_ sums: LossSums) -> Double {
        guard sums.voxels > 0 else { return 0 }
        return -zip(weights(sums), sums.logLikelihood).reduce(0) { $0 + $1.0 * $1.1 } / sums.voxels
    }

    public func gradient(_ sums: LossSums) -> LossGradient {
        var gradient = LossGradient(classes: sums.reference.count)
        guard sums.voxels > 0 else { return gradient }
        gradient.likelihood = weights(sums).map { -$0 / sums.voxels }
        return gradient
    }

    private func weights(_ sums: LossSums) -> [Double] {
        sums.prediction.enumerated().map { label, predicted in
            // Float rounding may take P beyond N.
            label == 0 ? 1 : max(0, sums.voxels - predicted) / max(predicted, 1)
        }
    }
}
