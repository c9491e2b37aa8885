import Collectives
import Foundation
import RunFiles
import SystemPackage
import TestSupport
import Testing

@testable import Training

@Suite struct TimelineFileTests {
    /// Three spans in pieces of two.
    private var text: TimelineText {
        let recorder = SteppedTimeline()
        for begin: Int64 in [10, 20, 30] { recorder.span(.optimiser, begin..<begin + 5) }
        return TimelineText(recorder.timeline, rank: 0, host: "a", clock: plainClock, pieceLength: 2)
    }

    @Test func piecesMakeOneDocument() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/trace.json"
            #expect(text.pieces == 3)
            var parts = 0
            let file = TimelineFile(path: path, communicator: SoloCommunicator(), watch: { parts += 1 })
            #expect(try file.write(text) == nil)
            #expect(parts == 3)
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            let events = try #require(document["traceEvents"] as? [[String: Any]])
            #expect(events.filter { $0["ph"] as? String == "M" }.count == 4)
            #expect(events.compactMap { $0["ts"] as? Double } == [0.01, 0.02, 0.03])
        }
    }

    @Test func aFileThatCannotBeWrittenIsNamed() throws {
        try withTemporaryFolder { folder in
            let missing = folder + "/none/trace.json"
            let failure = FileError("'\(missing)' could not be written", .noSuchFileOrDirectory)
            let file = TimelineFile(path: missing, communicator: SoloCommunicator())
            #expect(try file.write(text) == failure)
            #expect(throws: failure) { try AtomicFile.checkWritable(missing) }
            #expect(throws: FileError("'\(folder)' could not be written", .isDirectory)) {
                try AtomicFile.checkWritable(folder)
            }
            let old = folder + "/trace.json"
            try AtomicFile.write(old, text: "old")
            try AtomicFile.checkWritable(old)
            #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
            #expect(try Files.names(folder) == ["trace.json"])
        }
    }
}

/// A trace as viewers read it.
struct ReadTrace {
    let events: [[String: Any]]

    init(_ path: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        events = try #require(document["traceEvents"] as? [[String: Any]])
    }

    func names(row: Int) -> [String] {
        events.filter { $0["ph"] as? String == "X" && $0["tid"] as? Int == row }
            .compactMap { $0["name"] as? String }
    }
}

extension TrainerTests {
    /// A run of the smallest network with a timeline in its folder.
    private func train(
        _ folder: String, steps: Int, timeline: String, changes: [String] = [],
        prepare: (Trainer) throws -> Void = { _ in }
    ) throws -> String {
        let recorder = Recorder()
        let trainer = try Trainer(
            Self.configuration(in: folder, steps: steps, changes: changes),
            options: TrainingOptions(runFolder: folder + "/run", timeline: timeline),
            communicator: SoloCommunicator(), console: recorder.console(width: nil))
        try prepare(trainer)
        _ = try trainer.run()
        return recorder.text
    }

    @Test func aRunIsDrawn() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/run/trace.json"
            let output = try train(
                folder, steps: 3, timeline: path, changes: ["data.held_out=0.5", "batch=1"])
            #expect(output.contains("The timeline of 3 steps on 1 rank is in '\(path)': open it with"))
            #expect(output.contains("The median step took "))
            let trace = try ReadTrace(path)
            #expect(trace.names(row: Timeline.Row.steps.number) == ["step 1", "step 2", "step 3"])
            let computed = trace.names(row: Timeline.Row.compute.number)
            let counts = Dictionary(computed.map { ($0, 1) }, uniquingKeysWith: +)
            for name in ["loading patches", "packing", "checking gradients", "optimiser"] {
                #expect(counts[name] == 3, "\(name)")
            }
            // Its sums, and its gradient.
            #expect(counts["loss"] == 6)
            // After steps 2 and 3.
            #expect(counts["writing a checkpoint"] == 2)
            #expect(counts["scoring the held-out subjects"] == 1)
            #expect(trace.names(row: Timeline.Row.patches.number).count == 3)
            let again = try train(
                folder, steps: 3, timeline: folder + "/again.json",
                changes: ["data.held_out=0.5", "batch=1"])
            #expect(again.contains("No timeline is written."))
            #expect(!FileManager.default.fileExists(atPath: folder + "/again.json"))
        }
    }

    /// What led to an error is what one wants to see.
    @Test func aRunThatFailsIsDrawn() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/trace.json"
            #expect(throws: TrainingError.self) {
                try train(folder, steps: 3, timeline: path) { trainer in
                    let weights = trainer.prepared.step.model.parameters
                    weights.setValues(Array(repeating: .nan, count: weights.count))
                }
            }
            let computed = try ReadTrace(path).names(row: Timeline.Row.compute.number)
            #expect(computed.contains("loss"))
        }
    }

    @Test func aTimelineThatCannotBeWrittenIsRefusedAtOnce() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/none/trace.json"
            #expect(throws: FileError("'\(path)' could not be written", .noSuchFileOrDirectory)) {
                try train(folder, steps: 3, timeline: path)
            }
            // One that cannot be written any more does not cost the run.
            let late = folder + "/gone/trace.json"
            try FileManager.default.createDirectory(
                atPath: folder + "/gone", withIntermediateDirectories: true)
            let output = try train(folder, steps: 2, timeline: late) { _ in
                try FileManager.default.removeItem(atPath: folder + "/gone")
            }
            #expect(output.contains("warning: '\(late)' could not be written: No such file or directory."))
            #expect(try Self.checkpoint(folder, "run", step: 2).step == 2)
        }
    }
}
