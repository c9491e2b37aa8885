import Engine
import Networks
import Sampling

/// How subjects reach a network, in training, scoring and segmentation alike.
extension RunConfiguration {
    /// Size of the network's input in training.
    /// - Throws: ``TrainingError/deepPatch(network:size:)``.
    public func patchSize(for network: any Networks.Network) throws -> Size3 {
        guard let size = patch.inputSize(planar: type(of: network).isPlanar) else {
            throw TrainingError.deepPatch(network: type(of: network).name, size: patch.size)
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
            normalisation: data.normalise == .zscore ? .zscore : .none, classes: data.classes,
            merging: data.mergeLabels,
            referenceKind: data.referenceKind == .probabilities ? .probabilities : .labels,
            slices: try trainsOnSlices(network) ? patch.plane : .stored)
    }
}

extension RunConfiguration.Patch {
    /// The size of the network's input; nil where a 2D network would have to take more than a slice.
    func inputSize(planar: Bool) -> Size3? {
        let isOneNumber = Set(size).count == 1
        let depth = planar && isOneNumber ? 1 : size[0]
        return planar && depth != 1 ? nil : Size3(depth, size[1], size[2])
    }

    /// The plane of slices.
    var plane: SlicePlane {
        switch slices {
        case .axial: .axial
        case .coronal: .coronal
        case .sagittal: .sagittal
        case .stored: .stored
        }
    }
}

extension TrainingTask {
    /// Whether patches are slices, one voxel deep.
    public var isPlanar: Bool { patchSize.depth == 1 }

    /// A sentence where `patch.slices` is set and patches are no slices.
    public var slicesWarning: String? {
        let patch = configuration.patch
        guard !isPlanar, patch.slices != RunConfiguration.Patch().slices else { return nil }
        return
            "patch.slices is \(patch.slices.rawValue) and has no effect: patches of \(patchSize) voxels are no slices."
    }
}
