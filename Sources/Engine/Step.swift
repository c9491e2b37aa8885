/// Something that runs: a pass over tensors, named for profiles and errors.
struct Step {
    /// What kind of work it is.
    enum Kind: String, CaseIterable {
        case convolution
        /// Batch normalisation, activations and shortcuts.
        case elementwise
        /// Moves between orders of voxels, crops.
        case movement
    }

    let name: String
    let kind: Kind
    /// How it is done, where there is a choice.
    var algorithm = ""
    /// Of the direct sum, a multiplication and an addition counted as two.
    var operations = 0
    let run: () throws -> Void
}
