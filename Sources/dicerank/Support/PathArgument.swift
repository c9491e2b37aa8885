import Foundation
import Sampling

/// Checks of the paths that a command is given, before it does any work.
enum PathArgument {
    /// - Parameter name: Of the option or argument, such as `--output`.
    /// - Throws: `CommandError` where a file stands in the place of a folder.
    static func expectFolder(_ path: String, _ name: String) throws {
        guard PathKind.isFile(path) else { return }
        throw CommandError("\(name) is \(path), which is a file, and a folder is expected.")
    }

    /// - Throws: `CommandError` where the folder of a file that is to be written is not there.
    static func expectParentFolder(_ path: String, _ name: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard !PathKind.isFolder(folder) else { return }
        throw CommandError("\(name) is \(path), and there is no folder \(folder): make it first.")
    }
}
