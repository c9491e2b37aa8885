/// What the header of a NIfTI file says, without its voxels.
public struct VolumeHeader: Sendable {
    /// Who wrote the file, by its `descrip` field; ``VolumeHeader/mark`` begins those of this program.
    public let description: String
    public let geometry: VolumeGeometry

    /// With which the descriptions of all volumes begin that this program writes.
    public static let mark = "dicerank"
    /// Bytes of a description.
    public static let longestDescription = 79

    /// - Throws: `NIfTIError`.
    public init(reading path: String) throws { self.init(try NIfTIInput(path: path, allowsSeries: true)) }

    /// Reads the voxels to the last one too, and keeps none.
    /// - Throws: `NIfTIError`, also where the file is cut or damaged.
    public init(readingThrough path: String) throws {
        let input = try NIfTIInput(path: path, allowsSeries: true)
        try input.readThrough()
        self.init(input)
    }

    private init(_ input: NIfTIInput) { (description, geometry) = (input.description, input.geometry) }

    /// Whether this program wrote the file.
    public var isOwn: Bool { description == Self.mark || description.hasPrefix(Self.mark + " ") }
}
