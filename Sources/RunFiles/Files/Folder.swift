import Foundation

/// What is in a folder.
package enum Folder {
    /// Names that are not hidden, sorted; none where there is no folder.
    /// - Throws: ``FileError``.
    package static func names(_ path: String) throws(FileError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }
                .sorted()
        } catch {
            let error = FileError("the folder '\(path)' could not be read", foundation: error)
            guard error.reason == .noSuchFileOrDirectory else { throw error }
            return []
        }
    }
}
