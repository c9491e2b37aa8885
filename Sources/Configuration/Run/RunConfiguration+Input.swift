import Geometry
import Networks
import Sampling

/// How subjects reach a network, in training, scoring and segmentation alike.
extension RunConfiguration {
    /// Size of the network's input in training.
    /// - Throws: ``DeepPatchError``.
    public func patchSize(for network: any Networks.Network) throws -> Size3 {
        guard let size = patch.inputSize(planar: type(of: network).isPlanar) else {
            throw DeepPatchError(network: type(of: network).name, size: patch.size)
        }
        return size
    }

    /// Whether patches are slices: volumes are then sampled and segmented slice by slice.
    public func trainsOnSlices(_ network: any Networks.Network) throws -> Bool {
        try patchSize(for: network).depth == 1
    }

    /// Reads subjects as the network takes them; a reference where one is named.
    public func reader(for network: any Networks.Network) throws -> SubjectReader {
        SubjectReader(
            normalisation: data.normalise, classes: data.classes, merging: data.mergeLabels,
            referenceKind: data.referenceKind,
            slices: try trainsOnSlices(network) ? patch.slices : .stored)
    }
}

extension RunConfiguration.Patch {
    /// The size of the network's input; nil where a 2D network would have to take more than a slice.
    func inputSize(planar: Bool) -> Size3? {
        let isOneNumber = Set(size).count == 1
        let depth = planar && isOneNumber ? 1 : size[0]
        return planar && depth != 1 ? nil : Size3(depth, size[1], size[2])
    }
}

/// A patch that is deeper than the slices that the network takes.
public struct DeepPatchError: Error, Equatable, Sendable, CustomStringConvertible {
    public let network: String
    /// Depth, height and width in voxels, as `patch.size` has them.
    public let size: [Int]

    /// One sentence.
    public var description: String {
        "patch.size is [\(size.map(String.init).joined(separator: ", "))], but the network \(network) takes slices: "
            + "expected a depth of 1, or one number for height and width."
    }
}
