/// What kind of work an operation is.
public enum OperationKind: String, CaseIterable, Sendable {
    case convolution
    /// Batch normalisation, activations and shortcuts.
    case elementwise
    /// Moves between orders of voxels, crops.
    case movement
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

    public init(
        name: String, pass: Pass, kind: OperationKind, algorithm: String, operations: Int,
        begin: ContinuousClock.Instant, duration: Duration
    ) {
        (self.name, self.pass, self.kind, self.algorithm) = (name, pass, kind, algorithm)
        (self.operations, self.begin, self.duration) = (operations, begin, duration)
    }
}
