import Foundation
import RunFiles
import Sampling
import SystemPackage

extension RunFolder {
    /// Makes it; refuses one that holds something else, or a run that one from step 0 would overwrite, and a
    /// timeline over another file.
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
}
