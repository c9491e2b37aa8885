import Crypto
import Sampling

/// The names of a list's subjects in their order. With the seed they decide which subjects are held out and
/// which slots draw from which; where the files lie does not.
///
/// A checkpoint keeps digests and no names, which need not be public.
public struct SubjectNames: Sendable, Equatable {
    /// At least 1.
    public let count: Int
    /// SHA-256 in hexadecimal of the names as they are listed.
    public let digest: String
    /// SHA-256 in hexadecimal of the names sorted.
    public let sortedDigest: String

    public init(_ names: [String]) {
        count = names.count
        digest = SHA256.digest(of: names)
        sortedDigest = SHA256.digest(of: names.sorted())
    }

    public init(of list: SubjectList) { self.init(list.rows.map(\.subject)) }

    /// Checks that a list has these subjects in this order.
    /// - Parameters:
    ///   - other: the names of the list at the path `list`.
    ///   - path: the checkpoint that these are from.
    ///   - remedy: what can be done instead of restoring the list.
    /// - Throws: ``CheckpointError/otherSubjects(path:difference:remedy:)``.
    public func check(
        _ other: SubjectNames, list: String, path: String,
        remedy: String = "start anew with --resume never and another --output"
    ) throws(CheckpointError) {
        guard self != other else { return }
        let difference =
            if other.count != count {
                "\(counted(count, "subject")), but '\(list)' has \(other.count)"
            } else if other.sortedDigest != sortedDigest {
                "\(counted(count, "subject")), but the \(count) of '\(list)' have other names"
            } else {
                "\(count) subjects, but '\(list)' has them in another order"
            }
        throw .otherSubjects(path: path, difference: difference, remedy: remedy)
    }
}

// MARK: - Metadata

extension SubjectNames {
    private static let keys = (
        count: "subjects", digest: "subjects_digest", sortedDigest: "subjects_sorted_digest"
    )

    /// As a checkpoint's metadata.
    var metadata: [String: String] {
        [Self.keys.count: "\(count)", Self.keys.digest: digest, Self.keys.sortedDigest: sortedDigest]
    }

    /// - Returns: nil where the metadata do not have them.
    init?(metadata: [String: String]) {
        guard let count = metadata[Self.keys.count].flatMap({ Int($0) }),
            let digest = metadata[Self.keys.digest], let sortedDigest = metadata[Self.keys.sortedDigest]
        else { return nil }
        (self.count, self.digest, self.sortedDigest) = (count, digest, sortedDigest)
    }
}
