/// Hyper-parameters as a configuration names them. Those left nil keep the architecture's own value.
public struct NetworkOptions: Hashable, Sendable {
    /// Channels of each stage.
    public var widths: [Int]?
    /// Channels of the hidden 1^3 layer.
    public var hidden: Int?
    public var activation: Activation?
    public var logits: LogitsKind?

    public init(
        widths: [Int]? = nil, hidden: Int? = nil, activation: Activation? = nil, logits: LogitsKind? = nil
    ) {
        self.widths = widths
        self.hidden = hidden
        self.activation = activation
        self.logits = logits
    }
}

public enum Activation: String, Sendable, CaseIterable {
    case relu
    /// One learned slope a channel.
    case prelu
}

/// What follows the last convolution.
public enum LogitsKind: String, Sendable, CaseIterable {
    /// A bias a class.
    case bias
    /// Batch normalisation without activation, as in NiftyNet.
    case batchNormalization = "batch_norm"
}

/// The architectures by name.
public enum NetworkRegistry {
    private typealias Maker = @Sendable (Int, Int, NetworkOptions) throws(NetworkError) -> any Network

    private static let makers: [String: Maker] = [
        HighRes3DNet.name: { (inputChannels, classes, options) throws(NetworkError) in
            try HighRes3DNet(inputChannels: inputChannels, classes: classes, options: options)
        },
        DeepMedic.name: { (inputChannels, classes, options) throws(NetworkError) in
            try DeepMedic(inputChannels: inputChannels, classes: classes, options: options)
        },
    ]

    /// The names that ``network(named:inputChannels:classes:options:)`` knows, in alphabetical order.
    public static var names: [String] { makers.keys.sorted() }

    /// - Throws: ``NetworkError`` for an unknown name, with the known ones, or for an option out of range.
    public static func network(
        named name: String, inputChannels: Int, classes: Int, options: NetworkOptions = NetworkOptions()
    ) throws(NetworkError) -> any Network {
        guard let make = makers[name] else { throw .unknownName(name, known: names) }
        return try make(inputChannels, classes, options)
    }
}
