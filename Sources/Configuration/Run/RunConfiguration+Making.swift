import Engine
import Losses
import Networks

extension RunConfiguration.Network {
    /// The network that is configured.
    /// - Throws: `NetworkError`.
    public func make(inputChannels: Int, classes: Int) throws -> any Network {
        try NetworkRegistry.network(
            name, inputChannels: inputChannels, classes: classes,
            options: NetworkOptions(
                widths: widths, hidden: hidden, normalisation: normalisation, groups: groups,
                activation: activation, dropout: dropout, logits: logits))
    }
}

extension RunConfiguration.Loss {
    /// The loss that is configured.
    public func make() -> any SegmentationLoss {
        let options = LossOptions(pooling: pooling, weights: weights, convention: convention, lambda: lambda)
        guard !add.isEmpty else { return name.loss(options) }
        let added = add.sorted { $0.key.rawValue < $1.key.rawValue }
        return CombinedLoss(
            [CombinedLoss.Term(name.loss(options))]
                + added.map { CombinedLoss.Term($0.key.loss(options), weight: $0.value) })
    }
}
