import Configuration
import Foundation
import RunFiles

/// A run's folder, read.
public struct RunRecord: Sendable {
    /// The path of the folder.
    public let folder: String
    /// The run as it was configured, from its `config.yaml`.
    public let configuration: RunConfiguration
    /// Depth, height and width in voxels of the patch that the loss was taken on.
    public let effectivePatch: [Int]
    /// What was recorded of its steps, one at least.
    public let records: StepRecords
    /// Depth, height and width in voxels of the network's input.
    public var inputPatch: [Int] { (try? configuration.inputPatch()) ?? configuration.patch.size }
    /// Absent while the run has not come to its end.
    public let summary: RunSummary?
    /// Absent where no subject was held out or scored.
    public let heldOut: HeldOutRecord?

    /// - Throws: ``ReportError`` where `config.yaml` or `metrics.csv` is missing or holds nothing, and
    ///   `ConfigurationError`, `NetworkError` or `EngineError` where the configuration is none of a run.
    public init(folder: String) throws {
        let path = folder + "/config.yaml"
        guard FileManager.default.fileExists(atPath: path) else {
            throw ReportError.noRun(folder: folder, missing: "config.yaml")
        }
        let configuration = try RunConfiguration(contentsOf: path)
        let summaryPath = folder + "/summary.json"
        self.init(
            folder: folder, configuration: configuration,
            effectivePatch: try configuration.effectivePatch(),
            records: try StepRecords(contentsOf: folder + "/metrics.csv", folder: folder),
            summary: FileManager.default.fileExists(atPath: summaryPath)
                ? try RunSummary(contentsOf: summaryPath) : nil,
            heldOut: try HeldOutRecord(contentsOf: folder + "/held_out.csv"))
    }

    init(
        folder: String, configuration: RunConfiguration, effectivePatch: [Int], records: StepRecords,
        summary: RunSummary?, heldOut: HeldOutRecord?
    ) {
        (self.folder, self.configuration, self.effectivePatch) = (folder, configuration, effectivePatch)
        (self.records, self.summary, self.heldOut) = (records, summary, heldOut)
    }

    /// The folder's own name.
    public var name: String { URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent }

    /// Whether all configured steps were done.
    public var isComplete: Bool {
        // Not every step need be recorded; and a summary may be older than the number of steps.
        let summarised = summary.map { $0.complete ? $0.steps : 0 } ?? 0
        return max(summarised, records.steps.last ?? 0) >= configuration.steps
    }
}
