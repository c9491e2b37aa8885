/// A subject in memory: normalised images of all modalities on one grid, and the reference where it was asked for.
public struct Subject: Sendable {
    public let name: String
    public let geometry: VolumeGeometry
    /// Number of modalities.
    public let channels: Int
    /// [channel][z][y][x], normalised.
    public let images: [Float]
    /// Class indices, [z][y][x]; nil where the subject was read for inference.
    public let reference: [UInt8]?

    public init(name: String, geometry: VolumeGeometry, channels: Int, images: [Float], reference: [UInt8]?) {
        let voxels = geometry.extent.count
        precondition(
            images.count == channels * voxels, "\(images.count) values for \(channels) x \(geometry.extent)")
        precondition(
            reference.map { $0.count == voxels } ?? true, "a reference that is not of \(geometry.extent)")
        self.name = name
        self.geometry = geometry
        self.channels = channels
        self.images = images
        self.reference = reference
    }

    public var extent: Extent { geometry.extent }

    /// Bytes of images and reference: `voxels * (4 * channels + 1)`.
    public var byteCount: Int { images.count * 4 + (reference?.count ?? 0) }
}
