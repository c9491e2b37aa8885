import Foundation
import Sampling

/// Looks at the files that a command is about to write, before it does any work: none may be one that it
/// reads, one that another program made, or the same as another output.
///
/// ```swift
/// var check = OutputCheck(reading: list.paths)
/// try check.add("scores.csv", as: "the scores", own: .text(["subject,class,dsc,"]))
/// ```
public struct OutputCheck {
    /// Paths by the files that they lead to.
    private var read: [FileIdentity: String] = [:]
    /// What is written there.
    private var written: [FileIdentity: String] = [:]

    /// - Parameter paths: of all files that the command reads; such as do not exist are passed over.
    public init(reading paths: [String]) {
        for path in paths.flatMap(Self.withPair) where access(path, F_OK) == 0 {
            read.updateValue(path, forKey: FileIdentity(path))
        }
    }

    /// What shows that this program made a file, which the same command may then replace.
    public enum Own {
        /// The header of a volume says that it is a segmentation.
        case segmentation
        /// A text begins with one of these.
        case text([String])
        /// Known otherwise: nothing is asked of the file itself.
        case known

        public func holds(at path: String) -> Bool {
            switch self {
            case .segmentation: SegmentationMark.isSegmentation(at: path)
            case .text(let beginnings): TextFile.begins(path, with: beginnings)
            case .known: true
            }
        }
    }

    /// Checks an output and remembers it.
    /// - Parameters:
    ///   - what: is written, as in "the scores".
    ///   - remedy: what the user can do, such as "choose another --output".
    ///   - replacement: what else helps where another program made the file, such as "replace it with
    ///     --overwrite".
    ///   - clash: what helps where two outputs are the same file; nil for the remedy.
    /// - Throws: ``OutputError``.
    public mutating func add(
        _ path: String, as what: String, own: Own, remedy: String = "choose another --output",
        replacement: String? = nil, clash: String? = nil
    ) throws(OutputError) {
        let file = FileIdentity(path)
        func fault(_ kind: OutputError.Fault) -> OutputError {
            switch kind {
            case .foreign:
                OutputError(
                    path: path, what: what, fault: kind,
                    remedy: [remedy, replacement].compactMap { $0 }.joined(separator: ", or "))
            case .twice: OutputError(path: path, what: what, fault: kind, remedy: clash ?? remedy)
            default: OutputError(path: path, what: what, fault: kind, remedy: remedy)
            }
        }
        if let other = read[file] { throw fault(.isRead(as: other)) }
        if let other = written.updateValue(what, forKey: file) { throw fault(.twice(with: other)) }
        var status = stat()
        guard stat(path, &status) == 0 else {
            // A link to nothing would be replaced.
            guard lstat(path, &status) != 0 else { throw fault(.link) }
            return
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw fault(status.st_mode & S_IFMT == S_IFDIR ? .folder : .device)
        }
        guard own.holds(at: path) else { throw fault(.foreign) }
    }

    /// Refuses a folder for what is to be written into it where it holds something and is not of that kind.
    /// Hidden files do not count.
    /// - Parameters:
    ///   - what: is written, as in "a report".
    ///   - isOwn: whether a folder with these names is of the kind.
    /// - Throws: ``OutputError`` or ``FileError``.
    public static func folder(_ path: String, as what: String, isOwn: ([String]) -> Bool) throws {
        let names = try Folder.names(path)
        guard let first = names.first, !isOwn(names) else { return }
        throw OutputError(
            path: path, what: what, fault: .otherFolder(holds: first), remedy: "choose another --output")
    }

    /// Remembers a file that the command writes for itself, which it may have read before.
    public mutating func reserve(_ path: String, as what: String) {
        written.updateValue(what, forKey: FileIdentity(path))
    }

    /// The header of a pair comes with its voxels.
    private static func withPair(_ path: String) -> [String] {
        for (one, other) in [(".hdr", ".img"), (".img", ".hdr")] {
            for ending in ["", ".gz"] where path.hasSuffix(one + ending) {
                return [path, path.dropLast((one + ending).count) + other + ending]
            }
        }
        return [path]
    }
}

/// Why a file is not written. One sentence.
public struct OutputError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Fault: Equatable, Sendable {
        /// The command reads it, perhaps by another path.
        case isRead(as: String)
        case twice(with: String)
        case foreign, folder, device, link
        /// A folder that holds something else than what is written there.
        case otherFolder(holds: String)
    }

    public let path: String
    public let what: String
    public let fault: Fault
    public let remedy: String

    package init(path: String, what: String, fault: Fault, remedy: String) {
        (self.path, self.what, self.fault, self.remedy) = (path, what, fault, remedy)
    }

    public var description: String {
        switch fault {
        case .isRead(let other):
            "\(sentence) would be written over \(other), which this command reads: \(remedy)."
        case .twice(let other):
            "\(sentence) and \(other) would both be written to \(path): \(remedy)."
        case .foreign:
            "\(sentence) would be written over \(path), which this program did not make: \(remedy), or move that file away."
        case .folder: "\(sentence) cannot be written to \(path), which is a folder: \(remedy)."
        case .device:
            "\(sentence) cannot be written to \(path), which is no regular file: \(remedy)."
        case .link:
            "\(sentence) cannot be written to \(path), which is a link to a file that is not there: \(remedy), or "
                + "delete the link."
        case .otherFolder(let name):
            "\(sentence) is written into a new or empty folder or one of its kind, and \(path) holds \(name): \(remedy)."
        }
    }

    private var sentence: String { what.prefix(1).uppercased() + what.dropFirst() }
}

/// The beginning of files.
enum TextFile {
    static func begins(_ path: String, with beginnings: [String]) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        let longest = beginnings.map(\.utf8.count).max() ?? 0
        guard let found = try? file.read(upToCount: longest) else { return false }
        return beginnings.contains { found.starts(with: $0.utf8) }
    }
}
