import Engine

/// The Generalised Dice loss (GDL):
///
///     GDL = 1 - (2 sum_l w_l I_l + s) / (sum_l w_l (V_l + P_l) + s)
///
///     V_l = sum_n r_ln        reference volume of class l, in voxels
///     P_l = sum_n p_ln        predicted volume (softmax probabilities)
///     I_l = sum_n r_ln p_ln   intersection
///
/// over the N voxels of one pooling group: a patch, or the global batch. The weights `w_l` depend on the
/// reference only and are constants of the gradient. The value lies in [0, 1], 0 at a perfect match.
///
/// Citation: C. H. Sudre, W. Li, T. Vercauteren, S. Ourselin, M. J. Cardoso, "Generalised Dice overlap as a
/// deep learning loss function for highly unbalanced segmentations", DLMIA 2017. GDL_v there is `weights:
/// .square`.
///
/// **Gradient.** With num and den the two sides of the fraction, for each class and voxel:
///
///     dGDL/dp_ln = w_l num / den^2 - 2 w_l / den * r_ln
///
/// The gradient that the paper prints for two classes has its sign reversed. With w_1 the foreground's
/// weight, w_2 the background's, S = sum_n (p_n + r_n) and A = sum_n p_n r_n, the quotient rule gives
///
///     dGDL/dp_i = +2 { (w_1^2 - w_2^2) [A - r_i S] + N w_2 (w_1 + w_2) (1 - 2 r_i) } / [(w_1 - w_2) S + 2 N
///     w_2]^2
///
/// where the paper has -2: followed downhill, the printed one would *maximise* the loss. Central differences
/// of the value confirm the sign above (`GeneralisedDiceGradientTests`).
///
/// Everything is computed in double with weights relative to the largest, so that no weight overflows or
/// vanishes: classes of one voxel and of 10^9 voxels may meet.
public struct GeneralisedDiceLoss: SegmentationLoss {
    /// How a class is weighted by its reference volume V.
    public enum Weights: String, Sendable, CaseIterable {
        /// 1/V^2, the paper's GDL_v.
        case square
        /// 1/V
        case simple
        /// 1
        case uniform
    }

    /// What stands in for a class that is absent from the reference, and whether the ratio is smoothed.
    /// In both conventions an absent class takes the largest finite weight.
    public enum Convention: String, Sendable, CaseIterable {
        /// No additive constant (s = 0): the loss has no scale. A group of background only, predicted at 0.5,
        /// reads 0.5 whatever its size. (NiftyNet also raises a class's V + P below one voxel to one voxel;
        /// that would cut its gradient off, and is left out.)
        case niftynet
        /// MONAI's `GeneralizedDiceLoss` at its defaults: s = 1e-5 in numerator and denominator, against
        /// weights of 1/V^2 that are themselves about 1e-11 for a large class. The same group of 96^3 voxels
        /// reads 0.09.
        case monai
    }

    /// How a class is weighed by its volume V in voxels.
    public let weights: Weights
    /// Whether each patch has sums of its own, or the global batch has one for all.
    public let pooling: Pooling
    /// Whether a constant is added to numerator and denominator.
    public let convention: Convention

    /// - Parameters:
    ///   - weights: `square` is the paper's.
    ///   - pooling: over which voxels the sums run: of each patch, whose losses are then averaged, or of the
    ///     global batch.
    ///   - convention: see ``Convention``.
    public init(weights: Weights = .square, pooling: Pooling = .image, convention: Convention = .niftynet) {
        self.weights = weights
        self.pooling = pooling
        self.convention = convention
    }

    public func value(_ sums: LossSums) -> Double {
        let ratio = Ratio(sums, weights: weights, convention: convention)
        return ratio.denominator == 0 ? 0 : ratio.complement / ratio.denominator
    }

    public func gradient(_ sums: LossSums) -> LossGradient {
        let ratio = Ratio(sums, weights: weights, convention: convention)
        guard ratio.denominator != 0 else {
            let zeros = [Double](repeating: 0, count: sums.reference.count)
            return LossGradient(constant: zeros, reference: zeros)
        }
        let score = ratio.numerator / ratio.denominator
        return LossGradient(
            constant: ratio.weights.map { $0 / ratio.denominator * score },
            reference: ratio.weights.map { -2 * $0 / ratio.denominator })
    }
}

/// Both sides of the fraction, scaled by the inverse of the largest weight.
private struct Ratio {
    let weights: [Double]
    let numerator: Double
    let denominator: Double
    /// denominator - numerator, summed a class at a time: near a perfect match the loss keeps its digits.
    let complement: Double

    init(
        _ sums: LossSums, weights kind: GeneralisedDiceLoss.Weights,
        convention: GeneralisedDiceLoss.Convention
    ) {
        precondition(
            sums.reference.count == sums.prediction.count && sums.reference.count == sums.intersection.count,
            "sums of \(sums.reference.count), \(sums.prediction.count) and \(sums.intersection.count) classes"
        )
        // The smallest class that is present has the largest weight; relative to it every weight is in (0,
        // 1].
        let smallest = sums.reference.lazy.filter { $0 > 0 }.min() ?? 1
        let relative = sums.reference.map { volume -> Double in
            let inverse = volume > 0 ? smallest / volume : 1
            switch kind {
            case .square: return inverse * inverse
            case .simple: return inverse
            case .uniform: return 1
            }
        }
        let smoothing: Double
        switch (convention, kind) {
        case (.niftynet, _): smoothing = 0
        case (.monai, .square): smoothing = 1e-5 * smallest * smallest
        case (.monai, .simple): smoothing = 1e-5 * smallest
        case (.monai, .uniform): smoothing = 1e-5
        }
        var numerator = smoothing
        var denominator = smoothing
        var complement = 0.0
        for (index, weight) in relative.enumerated() {
            let overlap = sums.intersection[index]
            let missed = sums.reference[index] - overlap
            let spurious = sums.prediction[index] - overlap
            numerator += 2 * weight * overlap
            denominator += weight * (sums.reference[index] + sums.prediction[index])
            complement += weight * (missed + spurious)
        }
        weights = relative
        self.numerator = numerator
        self.denominator = denominator
        self.complement = complement
    }
}
