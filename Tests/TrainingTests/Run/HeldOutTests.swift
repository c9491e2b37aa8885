import Collectives
import Engine
import Foundation
import Geometry
import Glibc
import Inference
import RunFiles
import Sampling
import TestSupport
import Testing

@testable import Configuration
@testable import Training

/// A table of one class: DSC 2 shared / (prediction + reference).
private func table(_ rows: [(subject: String, shared: Int, prediction: Int, reference: Int)]) -> ScoreTable {
    var table = ScoreTable()
    for row in rows {
        let scores = SegmentationScores(
            shared: row.shared, prediction: row.prediction, reference: row.reference, voxelVolume: 2)
        table.add(subject: row.subject, scores: [scores])
    }
    return table
}

@Suite struct HeldOutLogTests {
    @Test func keepsTheStepsThatStand() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/held_out.csv"
            let first = try HeldOutLog(path: path, keepingThrough: 0)
            #expect(!FileManager.default.fileExists(atPath: path))
            try first.append(step: 10, table([("a,b", 1, 3, 1), ("c", 0, 0, 0)]))
            try first.append(step: 20, table([("a,b", 1, 1, 1), ("c", 0, 2, 0)]))
            let header =
                "step,subject,class,dsc,sensitivity,precision,volume_difference,volume_difference_ml,"
                + "prediction_ml,reference_ml\n"
            let ofTen =
                "10,\"a,b\",1,0.5,1.0,0.3333333333333333,2.0,0.004,0.006,0.002\n10,c,1,1.0,,,,0.0,0.0,0.0\n"
            let ofTwenty = "20,\"a,b\",1,1.0,1.0,1.0,0.0,0.0,0.002,0.002\n20,c,1,0.0,,0.0,,0.004,0.004,0.0\n"
            #expect(try String(contentsOfFile: path, encoding: .utf8) == header + ofTen + ofTwenty)

            let resumed = try HeldOutLog(path: path, keepingThrough: 15)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == header + ofTen)
            #expect(resumed.holds(step: 10) && !resumed.holds(step: 20))
            // Scores of the same step take the place of those that are there.
            try resumed.append(step: 10, table([("c", 1, 1, 1)]))
            #expect(
                try String(contentsOfFile: path, encoding: .utf8)
                    == header + "10,c,1,1.0,1.0,1.0,0.0,0.0,0.002,0.002\n")
        }
    }

    @Test func summarisesTheForeground() {
        // DSC 0.5, 1 (both empty), 0 and 0.75: sorted 0, 0.5, 0.75, 1.
        let scores = HeldOutScores(
            table([("a", 1, 3, 1), ("b", 0, 0, 0), ("c", 0, 2, 0), ("d", 3, 4, 4)]), step: 7)
        #expect(scores.step == 7 && scores.subjects == 4)
        #expect(scores.dscMean == 0.5625)
        #expect(scores.dscMedian == 0.625)
        #expect(scores.dscLowerQuartile == 0.375)
        #expect(scores.dscUpperQuartile == 0.8125)
    }

    @Test(arguments: [
        (0, true, [30]), (0, false, []), (10, true, [10, 20, 30]), (10, false, [10, 20, 30]),
        (20, true, [20, 30]),
        (20, false, [20]),
    ])
    func isDue(every: Int, atEnd: Bool, expected: [Int]) {
        var evaluate = RunConfiguration.Evaluate()
        (evaluate.every, evaluate.atEnd) = (every, atEnd)
        #expect((0...30).filter { evaluate.isDue(after: $0, of: 30) } == expected)
    }
}

@Suite struct HeldOutScoringTests {
    struct Broken: Error, Equatable {}

    @Test func aFailureOrASignalEndsTheRounds() throws {
        let rounds = ScoringRounds(SoloCommunicator(), pendingSignal: { nil })
        var own = ScoringRounds.Progress(subjects: 2, windows: 3, totalWindows: 4, isWorking: true)
        #expect(try rounds.end(own) == own)
        own.isWorking = false
        #expect(try !rounds.end(own).isWorking)
        #expect(!rounds.isOver)
        #expect(throws: Broken.self) { try rounds.end(own, failure: Broken()) }
        #expect(rounds.isOver)
        let stopped = ScoringRounds(SoloCommunicator(), pendingSignal: { SIGUSR1 })
        let error = #expect(throws: ScoringRounds.Stopped.self) { try stopped.end(own) }
        #expect(error?.signal == SIGUSR1)
    }

    /// Two subjects of 40^3 voxels in windows of 34^3, of which 28^3 are effective: eight windows each.
    private func scoring(
        _ folder: String, rounds: ScoringRounds, show: @escaping (ScoringRounds.Progress) -> Void = { _ in }
    ) throws -> HeldOutScoring {
        let task = try TrainingTask(TrainerTests.configuration(in: folder, steps: 1))
        var graph = Graph(inputChannels: 1)
        let x = graph.convolution(
            graph.input, name: "only", channels: 2, kernel: Size3(cube: 7), padding: .valid, bias: true)
        graph.setOutput(x)
        let window = SlidingWindow(
            graph: graph, parameters: Parameters(graph: graph),
            options: .init(threads: 1, memoryBytes: 1 << 30, window: Size3(cube: 34)))
        return HeldOutScoring(
            subjects: task.subjects, reader: task.reader, window: window, communicator: SoloCommunicator(),
            rounds: rounds, watch: { _ in }, show: show)
    }

    @Test func aSignalEndsItAfterTheWindow() throws {
        try withTemporaryFolder { folder in
            var seen: [ScoringRounds.Progress] = []
            let whole = try scoring(folder, rounds: ScoringRounds(SoloCommunicator())) { seen.append($0) }
            let table = try whole.run()
            #expect(table.rows.map(\.subject) == ["a", "b"])
            // A round before the first window, one a window, and one in which no rank is at work.
            #expect(seen.count == 1 + 2 * 8 + 1)
            #expect(
                seen.map(\.subjects) == [0] + Array(repeating: 0, count: 7) + Array(repeating: 1, count: 8)
                    + [2, 2])

            seen = []
            let interrupted = try scoring(
                folder,
                rounds: ScoringRounds(SoloCommunicator(), pendingSignal: { seen.count == 3 ? SIGTERM : nil })
            ) { seen.append($0) }
            #expect(throws: ScoringRounds.Stopped.self) { try interrupted.run() }
            #expect(seen.map(\.windows) == [0, 1, 2])
        }
    }
}

/// Runs of one of the two subjects, with the other held out.
@Suite(.serialized) struct HeldOutTrainerTests {
    private func scores(_ folder: String) throws -> [[Substring]] {
        try String(contentsOfFile: folder + "/run/held_out.csv", encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    }

    private let changes = ["data.held_out=0.5"]

    @Test func heldOutSubjectsAreScoredAtTheEnd() throws {
        try withTemporaryFolder { folder in
            let (summary, output) = try TrainerTests.train(folder, "run", steps: 2, changes: changes)
            let held = try #require(summary?.heldOut)
            #expect(held.step == 2 && held.subjects == 1)
            #expect(output.contains("1 subject, 1 in the shard of rank 0, and 1 held out;"))
            #expect(
                output.contains(
                    "Held out, step 2: DSC of 1 subject: mean \(String(format: "%.4f", held.dscMean))"))
            let rows = try scores(folder)
            #expect(rows.count == 2 && rows[1][0] == "2")
            #expect(Double(rows[1][3]) == held.dscMean)
            // 10^3 voxels of 1 mm.
            #expect(Double(rows[1][9]) == 1)
            let written = try RunSummary(contentsOf: folder + "/run/summary.json")
            #expect(written == summary)
            let events = try FileManager.default.contentsOfDirectory(atPath: folder + "/run/tensorboard")
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/run/tensorboard/" + events[0]))
            #expect(bytes.range(of: Data("held_out/dsc".utf8)) != nil)

            // Scored already: there is nothing left to do.
            let (again, notice) = try TrainerTests.train(folder, "run", steps: 2, changes: changes)
            #expect(again == nil && !notice.contains("Held out, step"))
        }
    }

    @Test func scoringOnTheWayDoesNotChangeTheRun() throws {
        try withTemporaryFolder { folder in
            try TrainerTests.train(folder, "plain", steps: 4, changes: changes + ["evaluate.at_end=false"])
            #expect(!FileManager.default.fileExists(atPath: folder + "/plain/held_out.csv"))
            let (summary, _) = try TrainerTests.train(
                folder, "run", steps: 4, changes: changes + ["evaluate.every=3", "evaluate.at_end=false"])
            #expect(summary?.heldOut == nil)
            #expect(try scores(folder).map { $0[0] } == ["step", "3"])
            let plain = try TrainerTests.checkpoint(folder, "plain", step: 4)
            #expect(try TrainerTests.checkpoint(folder, "run", step: 4).tensors == plain.tensors)
            // A scoring is preceded by a checkpoint.
            #expect(try CheckpointStore(runFolder: folder + "/run", keep: 3).list().map(\.step) == [2, 3, 4])

            // Asked for afterwards; and a resume from before drops what it does again.
            let (_, output) = try TrainerTests.train(folder, "run", steps: 4, changes: changes)
            #expect(output.contains("Held out, step 4"))
            #expect(try scores(folder).map { $0[0] } == ["step", "3", "4"])
            #expect(try RunSummary(contentsOf: folder + "/run/summary.json").heldOut?.step == 4)
            let earlier = folder + "/run/checkpoints/" + CheckpointStore.fileName(step: 2)
            try TrainerTests.train(
                folder, "run", steps: 4, resume: .file(earlier), changes: changes + ["evaluate.every=1"])
            #expect(try scores(folder).map { $0[0] } == ["step", "2", "3", "4"])
        }
    }

    @Test func whatOnlyTheVoxelsTellEndsTheRunAfterItsCheckpoint() throws {
        try withTemporaryFolder { folder in
            // Makes the files and finds which subject is held out.
            let task = try TrainingTask(TrainerTests.configuration(in: folder, steps: 2, changes: changes))
            let image = task.heldOut[0].images[0].path
            let whole = try Data(contentsOf: URL(fileURLWithPath: image))
            var volume = try Volume(reading: image)
            volume.voxels[7] = .nan
            try volume.write(to: image)
            #expect { try TrainerTests.train(folder, "run", steps: 2, changes: changes) } throws: { error in
                guard case NIfTIError.nonFinite(path: image, _, _) = error else { return false }
                return true
            }
            #expect(try TrainerTests.checkpoint(folder, "run", step: 2).step == 2)
            #expect(try RunSummary(contentsOf: folder + "/run/summary.json").heldOut == nil)
            try whole.write(to: URL(fileURLWithPath: image))
            let (_, output) = try TrainerTests.train(folder, "run", steps: 2, changes: changes)
            #expect(output.contains("Held out, step 2"))
            #expect(try RunSummary(contentsOf: folder + "/run/summary.json").heldOut?.subjects == 1)
        }
    }
}
