import Foundation
import RunFiles
import Testing

@testable import Sweep

@Suite struct SweepFolderTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/dicerank-" + UUID().uuidString

    private func sweep(_ overrides: [String] = []) throws -> SweepConfiguration {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try AtomicFile.write(
            folder + "/subjects.csv", text: "subject,t1,lesion\na,1.nii,2.nii\nb,3.nii,4.nii\n")
        let yaml = """
            run: {steps: 20, data: {list: subjects.csv}}
            networks: {deepmedic: {patches: [{size: 51, batch: 4}]}}
            learning_rates: [0.001]
            losses: [gdl]
            """
        return try SweepConfiguration(yaml: yaml, folder: folder, overrides: overrides)
    }

    @Test func aCellIsCheckedBeforeItRuns() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let task = try sweep().cells[0].task(ranks: 2)
        #expect(task.configuration.data.modalities == ["t1"])
        func sentence(_ overrides: [String], ranks: Int = 1) throws -> String {
            let sweep = try sweep(overrides)
            return try #require(throws: SweepError.self) { try sweep.cells[0].task(ranks: ranks) }.description
        }
        #expect(
            try sentence(["networks.deepmedic.patches=[{size: 52, batch: 1}]"])
                == "The cell deepmedic-p52-b1-lr1e-3-gdl cannot be run: The network deepmedic cannot take a patch of "
                + "52 voxels an axis; the nearest that it can are 51 and 54.")
        #expect(
            try sentence([], ranks: 3)
                == "The cell deepmedic-p51-b4-lr1e-3-gdl cannot be run: A batch of 4 cannot be divided among 3 ranks; "
                + "1, 2 and 4 are numbers of ranks that divide it.")
        #expect(
            try sentence(["run.data.list=none.csv"]).contains(
                FileManager.default.currentDirectoryPath + "/none.csv"))
        #expect(try sentence(["run.data.reference=tumour"]).contains("tumour"))
    }

    @Test func theStateIsThatOfItsFiles() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cell = try sweep().cells[0]
        let configuration = try cell.task(ranks: 1).configuration
        let place = SweepFolder(folder + "/sweep")
        let run = place.run(cell)
        #expect(run == folder + "/sweep/runs/deepmedic-p51-b4-lr1e-3-gdl")
        func state() throws -> SweepFolder.State { try place.state(of: cell, configuration: configuration) }
        #expect(try state() == .new)

        try place.noteFailure("The loss is not finite.", of: cell)
        #expect(try state() == .failed("The loss is not finite."))
        place.forgetFailure(of: cell)
        #expect(try state() == .new)

        try AtomicFile.write(run + "/config.yaml", text: configuration.yaml)
        try FileManager.default.createDirectory(
            atPath: run + "/checkpoints", withIntermediateDirectories: true)
        try AtomicFile.write(run + "/checkpoints/step-00000010.safetensors", text: "")
        #expect(try state() == .started(step: 10))

        var summary = RunSummary(
            steps: 20, complete: true, finalLoss: 0.1, dice: [0.5], seconds: 1, voxelsPerSecond: 1, ranks: 1,
            threads: 1, peakMemoryBytes: 1, communicationShare: 0, reductionHiddenShare: nil, dataShare: 0,
            versions: [:])
        try summary.write(to: run + "/summary.json")
        #expect(try state() == .done)
        summary.steps = 15
        try summary.write(to: run + "/summary.json")
        #expect(try state() == .started(step: 10))
    }

    @Test func anotherRunInACellsPlaceIsRefused() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cell = try sweep().cells[0]
        let place = SweepFolder(folder + "/sweep")
        try place.noteFailure("It failed.", of: cell)
        try AtomicFile.write(
            place.run(cell) + "/config.yaml", text: try cell.task(ranks: 1).configuration.yaml)
        // Steps, threads and how often is written may change; the seed may not.
        let longer = try sweep(["run.steps=30", "run.threads=2", "run.checkpoint.every=3"]).cells[0]
        _ = try place.state(of: longer, configuration: longer.task(ranks: 1).configuration)
        let other = try sweep(["run.seed=7"]).cells[0]
        let error = try #require(throws: SweepError.self) {
            try place.state(of: other, configuration: other.task(ranks: 1).configuration)
        }
        #expect(error == .otherRun(folder: place.run(cell), key: "seed", found: "1", expected: "7"))
        #expect(error.description.contains("holds a run whose seed is 1, and the sweep has 7 there"))
    }
}
