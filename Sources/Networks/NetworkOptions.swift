/// Hyper-parameters as a configuration names them. Those left nil keep the architecture's own value.
public struct NetworkOptions: Hashable, Sendable {
    /// Channels of each stage.
    public var widths: [Int]?
    /// Channels of the hidden 1^3 layers.
    public var hidden: Int?
    /// Over what the layers of the architecture are normalised.
    public var normalisation: Normalisation?
    /// Groups of channels of group normalisation.
    public var groups: Int?
    /// What follows each normalised convolution.
    public var activation: Activation?
    /// Share of values that dropout takes out, 0 ..< 1.
    public var dropout: Double?
    /// What follows the last convolution, which gives the logits.
    public var logits: LogitsKind?

    public init(
        widths: [Int]? = nil, hidden: Int? = nil, normalisation: Normalisation? = nil, groups: Int? = nil,
        activation: Activation? = nil, dropout: Double? = nil, logits: LogitsKind? = nil
    ) {
        (self.widths, self.hidden) = (widths, hidden)
        (self.normalisation, self.groups) = (normalisation, groups)
        (self.activation, self.dropout, self.logits) = (activation, dropout, logits)
    }
}

/// Over what a layer's values get zero mean and unit variance.
public enum Normalisation: String, Sendable, CaseIterable {
    /// A channel over the batch (Ioffe and Szegedy 2015).
    case batch
    /// A channel of one patch (Ulyanov et al. 2016).
    case instance
    /// A group of channels of one patch (Wu and He 2018).
    case group
    /// Not at all; convolutions get a bias instead.
    case none
}

/// The function that a layer applies to each value.
public enum Activation: String, Sendable, CaseIterable {
    /// A value below 0 becomes 0.
    case relu
    /// One learned slope a channel.
    case prelu
}

/// What follows the last convolution.
public enum LogitsKind: String, Sendable, CaseIterable {
    /// A bias a class.
    case bias
    /// Batch normalisation without activation, as in NiftyNet.
    case batchNormalisation = "batch_norm"
}
