import Engine
import Losses
import Networks

extension RunConfiguration.Network {
    /// The network that is configured.
    /// - Throws: `NetworkError`.
    public func make(inputChannels: Int, classes: Int) throws -> any Network {
        let kind: LogitsKind = logits == .bias ? .bias : .batchNormalization
        return try NetworkRegistry.network(
            named: name.rawValue, inputChannels: inputChannels, classes: classes,
            options: NetworkOptions(
                widths: widths, hidden: hidden,
                normalisation: normalisation.flatMap { .init(rawValue: $0.rawValue) }, groups: groups,
                activation: activation.flatMap { .init(rawValue: $0.rawValue) }, dropout: dropout,
                logits: kind))
    }
}

extension RunConfiguration.Loss {
    /// The loss that is configured.
    public func make() -> any SegmentationLoss {
        guard !add.isEmpty else { return make(name) }
        let added = add.sorted { $0.key.rawValue < $1.key.rawValue }
        return CombinedLoss(
            [CombinedLoss.Term(make(name))] + added.map { CombinedLoss.Term(make($0.key), weight: $0.value) })
    }

    private func make(_ name: Name) -> any SegmentationLoss {
        let pooling: Engine.Pooling = pooling == .image ? .image : .batch
        switch name {
        case .gdl:
            return GeneralisedDiceLoss(
                weights: GeneralisedDiceLoss.Weights(rawValue: weights.rawValue) ?? .square, pooling: pooling,
                convention: convention == .niftynet ? .niftynet : .monai)
        case .wce: return WeightedCrossEntropy(pooling: pooling)
        case .dl2: return DiceLoss(pooling: pooling)
        case .ss: return SensitivitySpecificityLoss(lambda: lambda, pooling: pooling)
        }
    }
}
