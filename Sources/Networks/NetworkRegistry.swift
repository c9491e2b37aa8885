/// The architectures by the names that configurations and tables have for them.
public enum NetworkName: String, CaseIterable, Sendable {
    case highres3dnet, deepmedic
    /// 2D networks: they take slices.
    case unet, twopathcnn
}

/// Makes networks by name.
public enum NetworkRegistry {
    /// The names that ``network(named:inputChannels:classes:options:)`` knows, in alphabetical order.
    public static var names: [String] { NetworkName.allCases.map(\.rawValue).sorted() }

    /// - Parameters:
    ///   - inputChannels: Of an image patch.
    ///   - classes: The background included.
    /// - Throws: ``NetworkError`` for an option out of range.
    public static func network(
        _ name: NetworkName, inputChannels: Int, classes: Int, options: NetworkOptions = NetworkOptions()
    ) throws(NetworkError) -> any Network {
        switch name {
        case .highres3dnet:
            try HighRes3DNet(inputChannels: inputChannels, classes: classes, options: options)
        case .deepmedic: try DeepMedic(inputChannels: inputChannels, classes: classes, options: options)
        case .unet: try UNet(inputChannels: inputChannels, classes: classes, options: options)
        case .twopathcnn: try TwoPathCNN(inputChannels: inputChannels, classes: classes, options: options)
        }
    }

    /// - Throws: ``NetworkError`` for an unknown name, with the known ones, or for an option out of range.
    public static func network(
        named name: String, inputChannels: Int, classes: Int, options: NetworkOptions = NetworkOptions()
    ) throws(NetworkError) -> any Network {
        guard let known = NetworkName(rawValue: name) else { throw .unknownName(name, known: names) }
        return try network(known, inputChannels: inputChannels, classes: classes, options: options)
    }
}
