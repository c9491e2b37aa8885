import Configuration

extension TrainingTask {
    /// Whether patches are slices, one voxel deep.
    public var isPlanar: Bool { patchSize.depth == 1 }

    /// A sentence where `patch.slices` is set and patches are no slices.
    public var slicesWarning: String? {
        let patch = configuration.patch
        guard !isPlanar, patch.slices != RunConfiguration(list: "").patch.slices else { return nil }
        return
            "patch.slices is \(patch.slices.rawValue) and has no effect: patches of \(patchSize) voxels are no slices."
    }
}
