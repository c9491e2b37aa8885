import CMPI

/// An MPI call that did not succeed on this rank.
public struct MPIError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The rank on which the call failed.
    public let rank: Int
    /// The number of ranks of the communicator.
    public let size: Int
    /// Host of that rank.
    public let host: String
    /// Name of the C function, for example `MPI_Allreduce`.
    public let call: String
    /// The library's status; its meaning depends on the implementation.
    public let code: Int
    /// The library's text for `code`. The corresponding C function is `MPI_Error_string`.
    public let text: String

    public var description: String {
        "\(call) failed on rank \(rank) of \(size) on \(host) with code \(code): \(text)."
    }

    /// For a sentence that names the rank already.
    var descriptionWithoutRank: String { "\(call) failed with code \(code): \(text)." }
}

/// Who makes a call, for the error it may end in.
struct Caller {
    var rank: Int
    var size: Int
    var host: String

    /// The one conversion of an MPI status to an error.
    func check(_ call: String, _ status: Int32) throws(MPIError) {
        guard status != Int32(cmpi_success) else { return }
        throw MPIError(
            rank: rank, size: size, host: host, call: call, code: Int(status),
            text: Caller.firstStatement(of: MPILibrary.errorText(status)))
    }

    /// MPICH adds the stack of its functions below.
    static func firstStatement(of text: String) -> String {
        let line = String(text.prefix { !$0.isNewline })
        let tail = ", error stack:"
        return line.hasSuffix(tail) ? String(line.dropLast(tail.count)) : line
    }
}
