/// An operation that failed on some ranks and is given up on all of them. Equal on all ranks.
public struct RankFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// Number of ranks.
    public let size: Int
    /// Ranks that failed, ascending; at least one.
    public let failing: [Int]
    /// Host of the lowest of them.
    public let host: String
    /// What the lowest of them had to say.
    public let sentence: String
    /// Whether all ranks failed with the same sentence.
    public let unanimous: Bool

    public var description: String {
        if unanimous { return sentence }
        let others =
            switch failing.count {
            case 1: ""
            case 2: " and 1 other"
            case let count: " and \(count - 1) others"
            }
        return "Rank \(failing[0])\(others) of \(size), on \(host): \(sentence)"
    }
}

/// A failure that has been reported: what is left to do is to exit with `exitCode`, saying nothing.
public struct ReportedFailure: Error, Sendable, CustomStringConvertible {
    /// The sentence that was reported.
    public let description: String
    /// The code that the process ends with, the same on all ranks.
    public let exitCode: Int32 = 1
}

extension Communicator {
    /// Runs `body` on every rank and throws on all ranks if it throws on any: its own error when alone, else
    /// a `RankFailure`, equal on all ranks. For what can fail on some ranks only, such as reading a rank's
    /// own shard; a rank that threw by itself would leave the others waiting for it in their next collective
    /// operation.
    ///
    /// Collective. `body` must carry out no collective operation after a point where it may throw on some
    /// ranks only.
    public func together<Result>(_ body: () throws -> Result) throws -> Result {
        guard size > 1 else { return try body() }
        let outcome = Swift.Result(catching: body)
        let sentence = outcome.failureSentence
        guard try allReduce(Int64(sentence == nil ? 0 : 1), .maximum) > 0 else { return try outcome.get() }
        // The first byte tells a rank that succeeded from one with nothing to say.
        let sentences = try allGatherVariable(sentence.map { [1] + $0.utf8.prefix(4096) } ?? [])
        let failing = sentences.indices.filter { !sentences[$0].isEmpty }
        throw RankFailure(
            size: size, failing: failing, host: hostNames[failing[0]],
            sentence: String(decoding: sentences[failing[0]].dropFirst(), as: UTF8.self),
            unanimous: failing.count == size && Set(sentences).count == 1)
    }
}

extension Result {
    /// What the error says of itself, for a `RankFailure`; nil for a success.
    var failureSentence: String? {
        switch self {
        case .success: nil
        case .failure(let error as MPIError): error.descriptionWithoutRank
        case .failure(let error): String(describing: error)
        }
    }
}
