import Collectives

/// What ranks tell each other before each step, so that all of them take it or none: whether one of them was
/// told to stop or has failed in getting its patches.
public struct StepAgreement: Equatable, Sendable {
    /// The signal by which a rank was told to stop; 0 for none.
    public var signal: Int32
    /// Whether a rank has no patches.
    public var hasFailed: Bool

    /// What a rank says that goes on.
    public init(signal: Int32 = 0, hasFailed: Bool = false) {
        (self.signal, self.hasFailed) = (signal, hasFailed)
    }

    /// Bytes that a rank gives.
    public static let bytes = 2 * MemoryLayout<Int64>.stride

    /// What holds of all ranks: one small all-reduce. Collective.
    func among(_ communicator: any Communicator) throws -> StepAgreement {
        var words = [Int64(signal), hasFailed ? 1 : 0]
        try communicator.allReduce(&words, .maximum)
        return StepAgreement(signal: Int32(words[0]), hasFailed: words[1] > 0)
    }
}
