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
        UNet.name: { (inputChannels, classes, options) throws(NetworkError) in
            try UNet(inputChannels: inputChannels, classes: classes, options: options)
        },
        TwoPathCNN.name: { (inputChannels, classes, options) throws(NetworkError) in
            try TwoPathCNN(inputChannels: inputChannels, classes: classes, options: options)
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
