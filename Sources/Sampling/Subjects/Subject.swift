import Geometry

/// A subject in memory: normalised images of all modalities on one grid, and the reference where it was asked
/// for.
public struct Subject: Sendable {
    public let name: String
    /// Of the files.
    public let geometry: VolumeGeometry
    /// In which images and reference are held; what else is said of z, y and x here goes by it.
    public let order: AxisOrder
    /// Number of modalities.
    public let channels: Int
    /// [channel][z][y][x], normalised.
    public let images: [Float]
    /// Class indices, [z][y][x]; nil where the subject was read for inference.
    public let reference: [UInt8]?
    /// Where the reference is one of probabilities: those of the classes above 0, [class][z][y][x].
    public let probabilities: [Float]?

    public init(
        name: String, geometry: VolumeGeometry, channels: Int, images: [Float], reference: [UInt8]?,
        probabilities: [Float]? = nil, order: AxisOrder = .stored
    ) {
        let voxels = geometry.extent.count
        precondition(
            images.count == channels * voxels,
            "\(images.count) values for \(channels) x \(geometry.extent.xyz)")
        precondition(
            reference.map { $0.count == voxels } ?? true, "a reference that is not of \(geometry.extent.xyz)")
        precondition(
            probabilities.map { reference != nil && !$0.isEmpty && $0.count % voxels == 0 } ?? true,
            "probabilities that are not of \(geometry.extent.xyz), or have no labels")
        self.name = name
        self.geometry = geometry
        self.order = order
        self.channels = channels
        self.images = images
        self.reference = reference
        self.probabilities = probabilities
    }

    /// In ``order``.
    public var extent: Size3 { order.extent(geometry.extent) }

    /// A result for every voxel in the order of the files.
    public func restored<Element: BitwiseCopyable>(_ values: [Element]) -> [Element] {
        order.restored(values, stored: geometry.extent)
    }

    /// Bytes of images and reference: `voxels * (4 * channels + 1)`, and 4 more for each probability.
    public var byteCount: Int { (images.count + (probabilities?.count ?? 0)) * 4 + (reference?.count ?? 0) }
}
