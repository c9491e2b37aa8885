import Engine

/// The losses by the names that configurations and tables have for them.
public enum LossName: String, CaseIterable, Sendable {
    /// Generalised Dice.
    case gdl
    /// Weighted cross-entropy.
    case wce
    /// Dice of two classes.
    case dl2
    /// Sensitivity and specificity.
    case ss

    /// The loss with what of the options concerns it.
    public func loss(_ options: LossOptions = LossOptions()) -> any SegmentationLoss {
        switch self {
        case .gdl:
            GeneralisedDiceLoss(
                weights: options.weights, pooling: options.pooling, convention: options.convention)
        case .wce: WeightedCrossEntropy(pooling: options.pooling)
        case .dl2: DiceLoss(pooling: options.pooling)
        case .ss: SensitivitySpecificityLoss(lambda: options.lambda, pooling: options.pooling)
        }
    }
}

/// What losses may be told.
public struct LossOptions: Sendable, Hashable {
    /// Over what the sums of the loss are formed.
    public var pooling: Pooling
    /// Of the classes, in the Generalised Dice loss.
    public var weights: GeneralisedDiceLoss.Weights
    /// Of absent classes and epsilon, in the Generalised Dice loss.
    public var convention: GeneralisedDiceLoss.Convention
    /// The weight of sensitivity, 0 to 1, in the loss of sensitivity and specificity.
    public var lambda: Double

    public init(
        pooling: Pooling = .image, weights: GeneralisedDiceLoss.Weights = .square,
        convention: GeneralisedDiceLoss.Convention = .niftynet, lambda: Double = 0.05
    ) {
        (self.pooling, self.weights, self.convention, self.lambda) = (pooling, weights, convention, lambda)
    }
}
