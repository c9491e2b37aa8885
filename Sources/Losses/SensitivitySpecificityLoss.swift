import Engine

/// The sensitivity-specificity loss (SS) of Brosch et al. 2015 as Sudre et al. 2017 use it, the mean over the
/// foreground classes of
///
///     SS_l = lambda A_l / (V_l + e) + (1 - lambda) B_l / (N - V_l + e)
///
///     A_l = sum_n r_ln (r_ln - p_ln)^2    B_l = sum_n (1 - r_ln) (r_ln - p_ln)^2
public struct SensitivitySpecificityLoss: SegmentationLoss {
    /// e, in voxels.
    public static let epsilon = 1e-5

    /// Whether each patch has sums of its own, or the global batch has one for all.
    public let pooling: Pooling
    /// Of the sensitivity, from 0 to 1; the paper's is 0.05.
    public let lambda: Double

    public init(lambda: Double = 0.05, pooling: Pooling = .image) {
        precondition(0...1 ~= lambda, "lambda is \(lambda), not a share")
        (self.lambda, self.pooling) = (lambda, pooling)
    }

    public func value(_ sums: LossSums) -> Double {
        let gradient = gradient(sums)
        return sums.reference.indices.reduce(0) {
            $0 + gradient.inside[$1] * sums.errorInside[$1] + gradient.outside[$1] * sums.errorOutside[$1]
        }
    }

    public func gradient(_ sums: LossSums) -> LossGradient {
        var gradient = LossGradient(classes: sums.reference.count)
        let share = 1 / Double(max(1, sums.reference.count - 1))
        for label in sums.reference.indices.dropFirst() {
            gradient.inside[label] = share * lambda / (sums.reference[label] + Self.epsilon)
            gradient.outside[label] =
                share * (1 - lambda) / (sums.voxels - sums.reference[label] + Self.epsilon)
        }
        return gradient
    }
}
