import Engine
import Losses
import Networks

extension RunConfiguration.Network {
    /// The network that is configured.
    /// - Throws: `NetworkError`.
    public func make(inputChannels: Int, classes: Int) throws -> any Network {
        try NetworkRegistry.network(
            named: name.rawValue, inputChannels: inputChannels, classes: classes,
            options: NetworkOptions(
                widths: widths, hidden: hidden, normalisation: normalisation, groups: groups,
                activation: activation, dropout: dropout, logits: logits))
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
        switch name {
        case .gdl: GeneralisedDiceLoss(weights: weights, pooling: pooling, convention: convention)
        case .wce: WeightedCrossEntropy(pooling: pooling)
        case .dl2: DiceLoss(pooling: pooling)
        case .ss: SensitivitySpecificityLoss(lambda: lambda, pooling: pooling)
        }
    }
}
