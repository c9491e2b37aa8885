import Configuration
import Foundation
import RunFiles

@testable import Reporting

/// Runs as if they had been trained.
enum Sample {
    static let small = PatchSetting(size: [51, 51, 51], effective: [15, 15, 15], batch: 5)
    static let large = PatchSetting(size: [85, 85, 85], effective: [49, 49, 49], batch: 1)

    /// A run of as many steps as `dice` has values, its loss 1 - DSC.
    static func record(
        _ dice: [Double], steps: Int? = nil, patch: PatchSetting = small, heldOut: [Double] = []
    ) -> RunRecord {
        var configuration = RunConfiguration(list: "subjects.csv")
        configuration.steps = steps ?? dice.count
        return RunRecord(
            folder: "runs/sample", configuration: configuration, effectivePatch: patch.effective,
            records: StepRecords(
                steps: Array(1...dice.count), loss: dice.map { 1 - $0 }, dice: dice,
                imbalance: dice.map { _ in 0.02 }, seconds: dice.map { _ in 0.5 }),
            summary: nil,
            heldOut: heldOut.isEmpty
                ? nil
                : HeldOutScores(
                    step: dice.count,
                    scores: heldOut.enumerated().map { .init(subject: "s\($0)", dice: $1) }))
    }

    static func run(
        _ loss: String, network: String = "highres3dnet", patch: PatchSetting = small, rate: Double = 1e-3,
        _ outcome: ComparedRun.Outcome
    ) -> ComparedRun {
        ComparedRun(
            name: "\(network)-p\(patch.size[1])-\(Quantity.scientificText(rate))-\(loss)", network: network,
            patch: patch, learningRate: rate, loss: loss, outcome: outcome)
    }

    /// Two patch sizes, two learning rates, WCE and GDL. GDL is better throughout; WCE failed in one place.
    static func plane() throws -> Comparison {
        var runs: [ComparedRun] = []
        for (patch, offset) in [(small, 0.2), (large, 0.0)] {
            for (rate, bonus) in [(1e-4, 0.1), (1e-3, 0.0)] {
                for (loss, level) in [("wce", 0.1), ("gdl", 0.5)] {
                    let dice = (0..<10).map { level + offset + bonus + 0.01 * Double($0) }
                    let record = record(dice, patch: patch, heldOut: [dice[0], dice[9]])
                    let failed = loss == "wce" && patch == large && rate == 1e-3
                    runs.append(
                        run(
                            loss, patch: patch, rate: rate,
                            failed ? .failed("At step 3 the loss is not finite.", nil) : .finished(record)))
                }
            }
        }
        return try Comparison(runs, last: 5)
    }
}

/// A temporary folder that goes when nothing uses it any more.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/dicerank-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
    }
}
