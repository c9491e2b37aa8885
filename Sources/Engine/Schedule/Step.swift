/// What kind of work an operation is.
public enum OperationKind: String, CaseIterable, Sendable {
    case convolution
    /// Batch normalisation, activations and shortcuts.
    case elementwise
    /// Moves between orders of voxels, crops.
    case movement
}

/// Something that runs: a pass over tensors, named for profiles and errors.
struct Step {
    let name: String
    let kind: OperationKind
    /// How it is done, where there is a choice.
    var algorithm = ""
    /// Of the direct sum, a multiplication and an addition counted as two.
    var operations = 0
    /// When it runs, on the schedule's axis.
    var time = 0
    let run: () throws -> Void
}

/// An operation that has run.
public struct OperationReport: Sendable {
    public enum Pass: String, Sendable { case forward, backward }

    /// Such as "block1.convolution2"; backward's end in dW (gradient of the weights) or dX (of the input).
    public let name: String
    public let pass: Pass
    public let kind: OperationKind
    /// How it was done, where there is a choice; else empty.
    public let algorithm: String
    /// Multiplications and additions of a convolution as the sum is written, over the whole image; else 0.
    public let operations: Int
    public let begin: ContinuousClock.Instant
    public let duration: Duration
}
