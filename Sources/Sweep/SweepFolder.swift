import Configuration
import Foundation
import RunFiles
import Training

/// A sweep's folder: `runs/NAME` a cell, each an ordinary run, and `failure.txt` in those that failed.
public struct SweepFolder: Sendable {
    public let path: String

    public init(_ path: String) { self.path = path }

    /// How far a cell is.
    public enum State: Equatable, Sendable {
        /// Nothing to go on from.
        case new
        /// A checkpoint of this step.
        case started(step: Int)
        /// All steps are done.
        case done
        /// It ended with this sentence.
        case failed(String)
    }

    /// The cell's run folder.
    public func run(_ cell: SweepCell) -> String { "\(path)/runs/\(cell.name)" }

    /// - Parameter configuration: the cell's, with the modalities that were found where none were configured.
    /// - Throws: ``SweepError/otherRun(folder:key:found:expected:)`` where the folder holds another run, and
    ///   errors of files that cannot be read.
    public func state(of cell: SweepCell, configuration: RunConfiguration) throws -> State {
        let folder = run(cell)
        let checkpoint = try CheckpointStore(runFolder: folder, keep: 1).list().last
        let state: State
        if let sentence = try? String(contentsOfFile: folder + "/failure.txt", encoding: .utf8) {
            state = .failed(sentence.trimmingCharacters(in: .whitespacesAndNewlines))
        } else if let summary = try? RunSummary(contentsOf: folder + "/summary.json"), summary.complete,
            summary.steps >= configuration.steps
        {
            state = .done
        } else if let checkpoint {
            state = .started(step: checkpoint.step)
        } else {
            return .new
        }
        let path = folder + "/config.yaml"
        guard FileManager.default.fileExists(atPath: path) else { return state }
        let differences = configuration.differences(from: try RunConfiguration(contentsOf: path))
        let forbidden = differences.first {
            !RunConfiguration.mayChangeOnResume($0.key) || $0.key == "optimizer.learning_rate"
        }
        if let forbidden {
            throw SweepError.otherRun(
                folder: folder, key: forbidden.key, found: forbidden.other, expected: forbidden.value)
        }
        return state
    }

    /// Checks that the folder is new, empty or a sweep's: that one of its runs is known by what it has left.
    /// - Throws: ``OutputError`` or ``FileError``.
    public func check() throws {
        try OutputCheck.folder(path, as: "a sweep") { names in
            guard names.contains("runs"), let runs = try? Folder.names(path + "/runs") else {
                return names == ["report"]
            }
            return runs.isEmpty
                || runs.contains { run in
                    let folder = "\(path)/runs/\(run)"
                    let names = (try? Folder.names(folder)) ?? []
                    return names.contains("failure.txt") || RunFolder.isRun(folder, names)
                }
        }
    }

    /// Checks that a cell's folder can be written: that it is new, empty or a run's.
    /// - Parameter reading: what the sweep has read beside the files of the cell's subjects.
    /// - Throws: ``OutputError`` or ``FileError``.
    public func check(_ cell: SweepCell, _ task: TrainingTask, reading: [String]) throws {
        var outputs = OutputCheck(reading: reading + task.paths)
        try RunFolder.check(run(cell), &outputs)
    }

    /// Notes that a cell failed.
    /// - Throws: ``FileError``.
    public func noteFailure(_ sentence: String, of cell: SweepCell) throws {
        let folder = run(cell)
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError("the folder '\(folder)' could not be made", foundation: error)
        }
        try AtomicFile.write(folder + "/failure.txt", text: sentence + "\n")
    }

    /// Forgets that a cell failed.
    public func forgetFailure(of cell: SweepCell) {
        try? FileManager.default.removeItem(atPath: run(cell) + "/failure.txt")
    }
}
