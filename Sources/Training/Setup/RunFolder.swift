import Foundation
import Sampling
import SystemPackage

/// The run directory before the first step.
enum RunFolder {
    /// Makes it; refuses one that holds something else, or a run that one from step 0 would overwrite, and a timeline over
    /// another file.
    static func create(_ options: TrainingOptions, task: TrainingTask, store: CheckpointStore) throws {
        if options.resume == .never, let last = try store.list().last {
            throw TrainingError.runExists(folder: options.runFolder, step: last.step)
        }
        var outputs = OutputCheck(reading: options.reads + task.paths)
        try check(options.runFolder, &outputs)
        if let path = options.timeline {
            try outputs.add(
                path, as: "the timeline", own: .text([TimelineText.head]),
                remedy: "choose another --timeline")
            for name in ["checkpoints", "tensorboard"]
            where FileIdentity.isInside(path, options.runFolder + "/" + name) {
                throw OutputError(
                    path: path, what: "the timeline", fault: .twice(with: "the run's \(name)"),
                    remedy: "choose another --timeline")
            }
        }
        do {
            try FileManager.default.createDirectory(
                atPath: options.runFolder, withIntermediateDirectories: true)
        } catch {
            throw FileError("the folder '\(options.runFolder)' could not be made", Errno(foundation: error))
        }
        // It may lie in the folder that has just been made.
        if let path = options.timeline { try AtomicFile.checkWritable(path) }
    }

    /// Checks that a folder is new, empty or a run's. Hidden files do not count.
    /// - Parameter outputs: is told of the files that a run writes.
    /// - Throws: ``OutputError`` or ``FileError``.
    static func check(_ folder: String, _ outputs: inout OutputCheck) throws {
        try OutputCheck.folder(folder, as: "a run") { isRun(folder, $0) || $0 == ["failure.txt"] }
        // It may be the configuration that is read, and is written anew with what replaces values.
        outputs.reserve("\(folder)/config.yaml", as: "the run's config.yaml")
        for name in ["log.txt", "metrics.csv", "held_out.csv", "summary.json", "latest"] {
            try outputs.add("\(folder)/\(name)", as: "the run's \(name)", own: .known)
        }
    }

    /// By what this program alone leaves; other files may have been put beside it.
    static func isRun(_ folder: String, _ names: [String]) -> Bool {
        names.contains("log.txt") && isLog(folder + "/log.txt")
            || names.contains("metrics.csv") && TextFile.begins(folder + "/metrics.csv", with: ["step,"])
            || names.contains("checkpoints")
                && ((try? CheckpointStore(runFolder: folder, keep: 1).list()) ?? []).isEmpty == false
    }

    /// Whether each of its lines begins with a time and a level, as far as the first tells; a run that ended at once leaves
    /// an empty one.
    private static func isLog(_ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        guard let bytes = try? file.read(upToCount: 64), !bytes.isEmpty else { return true }
        return String(decoding: bytes, as: UTF8.self).prefixMatch(
            of: /[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z [a-z]+:/) != nil
    }
}

/// What is in a folder.
enum Folder {
    /// Names that are not hidden, sorted; none where there is no folder.
    /// - Throws: ``FileError``.
    static func names(_ path: String) throws(FileError) -> [String] {
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
