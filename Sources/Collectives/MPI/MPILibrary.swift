import CMPI
import Foundation

/// The MPI library of this machine, opened at run time.
///
/// dicerank does not link against MPI: the program starts, prints help and makes data where MPI is missing.
/// The library is looked for under `DICERANK_MPI_LIBRARY` (a soname or a path) when that is set, else under
/// the usual sonames of the implementation whose `mpi.h` the program was built with. Opening it starts
/// nothing.
public struct MPILibrary: Sendable, Equatable {
    /// The implementation that the program was built with: "Open MPI" or "MPICH".
    public static let implementation = String(cString: cmpi_implementation())

    /// The environment variable that names another library.
    public static let overrideVariable = "DICERANK_MPI_LIBRARY"

    /// The file that the library was loaded from.
    public let path: String

    /// What the library says of itself, in its own words; several lines for some implementations.
    /// The corresponding C function is `MPI_Get_library_version`.
    public let version: String

    /// Name and number: `version` up to its first comma or line break, with runs of spaces removed.
    public var summary: String { MPILibrary.summary(of: version) }

    static func summary(of version: String) -> String {
        let head = version.prefix { !$0.isNewline && $0 != "," }
        return head.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// Opens the library, once in a process. Neither starts MPI nor needs a launcher.
    public static func load() throws(MPILibraryError) -> MPILibrary { try opened.get() }

    private static let opened: Result<MPILibrary, MPILibraryError> = {
        let override = ProcessInfo.processInfo.environment[overrideVariable].flatMap { $0.isEmpty ? nil : $0 }
        return open(override.map { [$0] } ?? usualNames)
    }()

    /// Sonames in the order in which they are tried.
    static var usualNames: [String] {
        (0...).lazy.map { cmpi_library_name($0) }.prefix { $0 != nil }.compactMap {
            $0.map { String(cString: $0) }
        }
    }

    static func open(_ names: [String]) -> Result<MPILibrary, MPILibraryError> {
        var attempts: [MPILibraryError.Attempt] = []
        for name in names {
            if let reason = openingFailure(name) {
                attempts.append(.init(name: name, reason: reason))
            } else {
                return .success(
                    MPILibrary(path: String(cString: cmpi_library_path()), version: libraryVersion()))
            }
        }
        return .failure(MPILibraryError(attempts: attempts))
    }
}

/// No MPI library could be opened.
public struct MPILibraryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One name that was tried, and what the loader said.
    public struct Attempt: Sendable, Equatable {
        /// The soname or path that was tried.
        public let name: String
        /// What the loader said.
        public let reason: String
    }

    /// All that were tried, in order.
    public let attempts: [Attempt]

    public var description: String {
        let tried = attempts.map { attempt in
            // The loader begins with the name as well.
            let loader = attempt.name + ": "
            let reason = attempt.reason
            return
                "\(attempt.name) (\(reason.hasPrefix(loader) ? String(reason.dropFirst(loader.count)) : reason))"
        }.joined(separator: ", ")
        return "No usable \(MPILibrary.implementation) library was found; tried \(tried); install it, or set "
            + "\(MPILibrary.overrideVariable) to its path."
    }
}
