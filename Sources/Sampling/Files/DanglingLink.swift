import Foundation

/// A path that leads nowhere because a symbolic link on it does, as links of git-annex and DataLad do whose
/// content has not been fetched.
public struct DanglingLink: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was to be opened.
    public let path: String
    /// The link on the way, `path` itself or a folder above.
    public let link: String
    /// What the link names.
    public let target: String
    /// Whether following it never ends.
    public let isLoop: Bool

    /// Nil where no link is to blame.
    public init?(at path: String) {
        var part = path
        while !part.isEmpty, part != "/", part != "." {
            // Folders above a file that is there cannot dangle either.
            if access(part, F_OK) == 0 { return nil }
            if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: part) {
                // `access` has gone wrong above; errno may have changed since.
                isLoop = access(part, F_OK) != 0 && errno == ELOOP
                (self.path, link, self.target) = (path, part, target)
                return
            }
            part = (part as NSString).deletingLastPathComponent
        }
        return nil
    }

    private var begin: String {
        (link == path ? "is a link" : "lies behind \(link), a link") + " to \(target)"
    }

    /// The rest of a sentence that begins with the path.
    public var reason: String {
        guard !isLoop else {
            return begin + ", which leads back to it"
        }
        return begin
            + ", which is not there (in a data set of DataLad or git-annex, fetch it with datalad get or "
            + "git annex get)"
    }

    public var description: String { "\(path) \(reason)." }
}
