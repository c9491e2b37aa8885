import Foundation

/// The checkpoints of a run directory: `checkpoints/step-00000100.safetensors`, and `latest`, a text file
/// that names the newest.
public struct CheckpointStore: Sendable {
    /// A checkpoint file.
    public struct Entry: Sendable, Equatable {
        public let step: Int
        public let path: String
    }

    /// A checkpoint that was read whole.
    public struct Found: Sendable {
        public let checkpoint: Checkpoint
        public let path: String
        /// A sentence for each newer checkpoint that is damaged.
        public let warnings: [String]
    }

    public let runFolder: String
    public let keep: Int
    public var folder: String { runFolder + "/checkpoints" }
    public var latestPath: String { runFolder + "/latest" }

    /// - Parameters:
    ///   - runFolder: the run directory; nothing is created before the first ``save(_:)``.
    ///   - keep: how many checkpoints stay, at least 1.
    public init(runFolder: String, keep: Int) {
        precondition(keep >= 1, "\(keep) checkpoints to keep, at least 1 must stay")
        self.runFolder = runFolder
        self.keep = keep
    }

    public static func fileName(step: Int) -> String {
        let digits = String(step)
        return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".safetensors"
    }

    /// All checkpoints by step, oldest first; none where the folder does not exist.
    /// - Throws: ``FileError`` when it cannot be read: a run must not take itself for new then.
    public func list() throws(FileError) -> [Entry] {
        try fileNames().compactMap { name in
            guard name.hasPrefix("step-"), name.hasSuffix(".safetensors"),
                let step = Int(name.dropFirst(5).dropLast(12)), Self.fileName(step: step) == name
            else { return nil }
            return Entry(step: step, path: folder + "/" + name)
        }.sorted { $0.step < $1.step }
    }

    /// Writes a checkpoint, reads it back, makes it the latest, and removes the oldest ones beyond `keep`.
    ///
    /// Files of later steps, which a run leaves that went back to an earlier checkpoint, are set aside as
    /// `….superseded`, so that a resume does not take them for its own.
    /// - Returns: its path.
    /// - Throws: ``FileError`` when it cannot be written: all older checkpoints and `latest` are then as they
    ///   were.
    @discardableResult
    public func save(_ checkpoint: Checkpoint) throws -> String {
        let name = Self.fileName(step: checkpoint.step)
        let path = folder + "/" + name
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError("the folder '\(folder)' could not be made", .init(foundation: error))
        }
        removeTemporaries()
        try checkpoint.write(to: path)
        try AtomicFile.write(latestPath, text: "checkpoints/\(name)\n")
        let files = try list()
        for entry in files where entry.step > checkpoint.step {
            try? FileManager.default.moveItem(atPath: entry.path, toPath: entry.path + ".superseded")
        }
        for entry in files.filter({ $0.step <= checkpoint.step }).dropLast(keep) {
            try? FileManager.default.removeItem(atPath: entry.path)
        }
        return path
    }

    /// The newest checkpoint that is whole; nil when there is none at all.
    /// - Throws: ``CheckpointError/allDamaged(folder:reasons:)`` when there are some but none is whole, and
    ///   ``FileError`` when the folder cannot be read.
    public func newest() throws -> Found? {
        let entries = try list()
        guard !entries.isEmpty else { return nil }
        var reasons: [String] = []
        for entry in entries.reversed() {
            do {
                let checkpoint = try Checkpoint(contentsOf: entry.path)
                let warnings = reasons.map { $0 + " The one before it is used." }
                return Found(checkpoint: checkpoint, path: entry.path, warnings: warnings)
            } catch {
                reasons.append("\(error)")
            }
        }
        throw CheckpointError.allDamaged(folder: folder, reasons: reasons)
    }

    private func fileNames() throws(FileError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            let error = FileError(
                "the folder of checkpoints '\(folder)' could not be read", foundation: error)
            guard error.reason == .noSuchFileOrDirectory else { throw error }
            return []
        }
    }

    private func removeTemporaries() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where AtomicFile.isTemporary(name) {
            try? FileManager.default.removeItem(atPath: folder + "/" + name)
        }
    }
}
