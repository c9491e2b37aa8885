import Foundation
import RunFiles
import Testing

@testable import Reporting

@Suite struct RunRecordTests {
    private static let header =
        "step,loss,gdl,dsc,imbalance,learning_rate,step_seconds,data_seconds,communication_seconds,"
        + "voxels_per_second\n"
    private static let configuration = """
        data: {list: subjects.csv}
        steps: 3
        patch: {size: 51}
        batch: 5
        loss: {name: wce, add: {gdl: 0.5}}
        optimizer: {learning_rate: 0.00025}

        """

    private static func folder(metrics: String, others: [String: String] = [:]) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write(configuration, to: "config.yaml")
        try folder.write(header + metrics, to: "metrics.csv")
        for (name, text) in others { try folder.write(text, to: name) }
        return folder
    }

    @Test func aFolderIsRead() throws {
        let folder = try Self.folder(
            metrics: """
                1,0.9,0.8,0.1,0.01,0.001,0.5,0,0,1000
                2,0.7,0.6,0.3,0.02,0.001,0.6,0,0,1000
                3,0.5,0.4,0.5,0.03,0.001,0.7,0,0,1000

                """,
            others: [
                "held_out.csv": """
                step,subject,class,dsc,sensitivity,precision,volume_difference,volume_difference_ml,prediction_ml,reference_ml
                2,a,1,0.1,,,,,,
                3,a,1,0.4,,,,,,
                3,"b, the second",1,0.6,,,,,,

                """
            ])
        let record = try RunRecord(folder: folder.path)
        #expect(record.isComplete)
        #expect(record.effectivePatch == [15, 15, 15])
        #expect(record.records.dice == [0.1, 0.3, 0.5])
        #expect(record.records.imbalance == [0.01, 0.02, 0.03])
        #expect(record.records.seconds == [0.5, 0.6, 0.7])
        #expect(record.records.last(2) == 1..<3 && record.records.last(200) == 0..<3)
        let heldOut = try #require(record.heldOut)
        #expect(heldOut.step == 3)
        #expect(
            heldOut.scores == [.init(subject: "a", dice: 0.4), .init(subject: "b, the second", dice: 0.6)])
        #expect(heldOut.summary.dscMean == 0.5)
        let run = ComparedRun(record)
        #expect(run.loss == "wce+0.5gdl" && run.learningRate == 0.00025 && run.patch.batch == 5)
        #expect(run.result != nil)
    }

    @Test func theWholeForegroundGoesBeforeClasses() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "step,subject,class,dsc\n1,a,1,0.1\n1,a,2,0.2\n1,a,foreground,0.3\n", to: "held_out.csv")
        let scores = try #require(try HeldOutRecord(contentsOf: folder.path + "/held_out.csv"))
        #expect(scores.scores == [.init(subject: "a", dice: 0.3)])
        #expect(try HeldOutRecord(contentsOf: folder.path + "/none.csv") == nil)
    }

    @Test func aRowHalfWrittenIsPassedOver() throws {
        let folder = try Self.folder(metrics: "1,0.9,0.8,0.1,0.01,0.001,0.5,0,0,1000\n2,0.7,0.6")
        let record = try RunRecord(folder: folder.path)
        #expect(record.records.steps == [1])
        #expect(!record.isComplete)
    }

    @Test(arguments: [
        ("1,0.9,0.8,0.1\n", 2, "4 of 10 fields"),
        ("1,0.9,0.8,7.5,0.01,0.001,0.5,0,0,1000\n", 2, "'7.5' as dsc"),
        ("1,0.9,0.8,0.1,0.01,0.001,0.5,0,0,1000\nx,0.9,0.8,0.1,0.01,0.001,0.5,0,0,1000\n", 3, "'x' as step"),
        ("1,abc,0.8,0.1,0.01,0.001,0.5,0,0,1000\n", 2, "'abc' as loss"),
        // A row of nothing but commas is no blank line, and a quote that does not end names its own line.
        ("1,0.9,0.8,0.1,0.01,0.001,0.5,0,0,1000\n,,,,,,,,,\n", 3, "'' as step"),
        ("1,\"0.9,0.8\n", 2, "a quoted field that does not end"),
    ])
    func aDamagedRowIsNamed(rows: String, line: Int, found: String) throws {
        let folder = try Self.folder(metrics: rows)
        #expect(
            throws: ReportError.damagedRow(path: folder.path + "/metrics.csv", line: line, found: found)
        ) { try RunRecord(folder: folder.path) }
    }

    @Test(arguments: ["{", "{}", "[1]"])
    func aDamagedSummaryIsNamed(text: String) throws {
        let folder = try Self.folder(
            metrics: "1,0.9,0.8,0.1,0.01,0.001,0.5,0,0,1000\n", others: ["summary.json": text])
        let error = #expect(throws: DamagedRecord.self) { try RunRecord(folder: folder.path) }
        #expect(
            error?.description
                == "'\(folder.path)/summary.json' is damaged: it holds no summary of a run in JSON: delete it, since a "
                + "run can do without.")
    }

    /// An effective patch of one voxel is no slice, where the network takes volumes.
    @Test func theSmallestPatchOfVolumesIsNoSlice() {
        let volume = PatchSetting(size: [37, 37, 37], effective: [1, 1, 1], batch: 4)
        #expect(!volume.isFlat && Display.effective(volume) == "1³")
        let slice = PatchSetting(size: [1, 56, 56], effective: [1, 16, 16], batch: 4)
        #expect(slice.isFlat && Display.effective(slice) == "16²")
    }

    @Test func sparseRecordsCountBySteps() {
        let records = StepRecords(
            steps: [10, 20, 30, 40], loss: [1, 1, 1, 1], dice: [0.1, 0.2, 0.3, 0.4],
            imbalance: [0, 0, 0, 0], seconds: [1, 1, 1, 1])
        // Of the steps 21 to 40 two were recorded, of 20 to 40 three.
        #expect(records.last(20) == 2..<4)
        #expect(records.last(21) == 1..<4)
    }

    @Test func whatIsNoRunIsNamed() throws {
        let folder = try TemporaryFolder()
        #expect(throws: ReportError.noRun(folder: folder.path, missing: "config.yaml")) {
            try RunRecord(folder: folder.path)
        }
        try folder.write(Self.configuration, to: "config.yaml")
        #expect(throws: ReportError.noRun(folder: folder.path, missing: "metrics.csv")) {
            try RunRecord(folder: folder.path)
        }
        try folder.write(Self.header, to: "metrics.csv")
        #expect(throws: ReportError.noRows(path: folder.path + "/metrics.csv")) {
            try RunRecord(folder: folder.path)
        }
        try folder.write("step,loss\n1,2\n", to: "metrics.csv")
        #expect(
            throws: ReportError.missingColumn(
                path: folder.path + "/metrics.csv", column: "dsc", columns: ["step", "loss"])
        ) { try RunRecord(folder: folder.path) }
        #expect(throws: ReportError.nothing) { try Comparison([]) }
    }

    @Test func runsThatDifferInNothingAreToldApart() throws {
        let record = Sample.record([0.5])
        let runs = ["a", "b"].map {
            ComparedRun(
                name: $0, network: "deepmedic", patch: Sample.small, learningRate: 1e-3, loss: "gdl",
                outcome: .finished(record))
        }
        #expect(try Comparison(runs).losses == ["gdl (a)", "gdl (b)"])
        #expect(try Comparison([runs[0]]).losses == ["gdl"])
    }
}
