import Foundation

/// The run directory, by what a run leaves in it.
package enum RunFolder {
    /// Checks that a folder is new, empty or a run's. Hidden files do not count.
    /// - Parameter outputs: is told of the files that a run writes.
    /// - Throws: ``OutputError`` or ``FileError``.
    package static func check(_ folder: String, _ outputs: inout OutputCheck) throws {
        try OutputCheck.folder(folder, as: "a run") { isRun(folder, $0) || $0 == ["failure.txt"] }
        // It may be the configuration that is read, and is written anew with what replaces values.
        outputs.reserve("\(folder)/config.yaml", as: "the run's config.yaml")
        for name in ["log.txt", "metrics.csv", "held_out.csv", "summary.json", "latest"] {
            try outputs.add("\(folder)/\(name)", as: "the run's \(name)", own: .known)
        }
    }

    /// By what this program alone leaves; other files may have been put beside it.
    package static func isRun(_ folder: String, _ names: [String]) -> Bool {
        names.contains("log.txt") && isLog(folder + "/log.txt")
            || names.contains("metrics.csv") && TextFile.begins(folder + "/metrics.csv", with: ["step,"])
            || names.contains("checkpoints")
                && ((try? CheckpointStore(runFolder: folder, keep: 1).list()) ?? []).isEmpty == false
    }

    /// Whether each of its lines begins with a time and a level, as far as the first tells; a run that ended
    /// at once leaves an empty one.
    private static func isLog(_ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        guard let bytes = try? file.read(upToCount: 64), !bytes.isEmpty else { return true }
        return String(decoding: bytes, as: UTF8.self).prefixMatch(
            of: /[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z [a-z]+:/) != nil
    }
}
