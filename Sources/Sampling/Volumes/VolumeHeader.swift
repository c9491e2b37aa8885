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

    /// Reads the voxels to the last one too, and keeps a digest of them.
    /// - Throws: `NIfTIError`, also where the file is cut or damaged.
    public static func readingThrough(_ path: String) throws -> (header: VolumeHeader, voxels: VoxelDigest) {
        let input = try NIfTIInput(path: path, allowsSeries: true)
        return (VolumeHeader(input), try input.digest())
    }

    private init(_ input: NIfTIInput) { (description, geometry) = (input.description, input.geometry) }
}
