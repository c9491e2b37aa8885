import Collectives
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import RunFiles
@testable import Sampling
@testable import Training

private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

/// Runs whose records cannot be written for a while, or to the end.
@Suite(.serialized) struct RecordFaultTests {
    /// Ends in the middle of a row of metrics.csv and of an event, and with it the checkpoints fail. A run
    /// that does not come through is ended by the alarm.
    @Test func aDiskThatIsFullForAWhileCostsNothing() async {
        await #expect(processExitsWith: .success) {
            alarm(300)
            try withTemporaryFolder { folder in
                let said = Mutex("")
                let console = Console(
                    output: { text in
                        said.withLock { $0 += text }
                        if text.contains("metrics.csv' could not be written: ") {
                            Thread.detachNewThread {
                                usleep(200_000)
                                limitFiles(to: nil)
                            }
                        }
                        let written = said.withLock {
                            $0.components(separatedBy: "What was missing is written now").count - 1
                        }
                        if written == 2 { kill(getpid(), SIGUSR1) }
                    }, terminalWidth: { nil })
                let trainer = try Trainer(
                    TrainerTests.configuration(
                        in: folder, steps: 100_000,
                        changes: ["log={tensorboard: true}", "checkpoint={every: 50}"]),
                    options: TrainingOptions(runFolder: folder + "/run"), communicator: SoloCommunicator(),
                    console: console)
                limitFiles(to: 777)
                let summary = try #require(try trainer.run())
                let output = said.withLock { $0 }
                try #require(output.components(separatedBy: "stays in memory").count == 3, "\(output)")
                let rows = try text(folder + "/run/metrics.csv").split(separator: "\n").dropFirst()
                    .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
                try #require(rows.map { Int($0[0]) } == Array(1...summary.steps))
                try #require(rows.allSatisfy { $0.count == 10 })
                let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/run/tensorboard")
                try #require(names.count == 1)
                let events = try EventFile.records(folder + "/run/tensorboard/" + names[0]).map {
                    try TensorBoardEvent(serializedBytes: $0.data)
                }
                try #require(events.dropFirst().map { Int($0.step) } == Array(1...summary.steps))
                try #require(
                    try TrainerTests.checkpoint(folder, "run", step: summary.steps).step == summary.steps)
            }
        }
    }

    /// A folder stands where held_out.csv belongs.
    @Test func whatCannotBeWrittenToTheEndIsAnError() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/run/held_out.csv"
            let error = #expect(throws: TrainingError.self) {
                try TrainerTests.train(
                    folder, "run", steps: 4, changes: ["data.held_out=0.5", "evaluate={every: 1}"]
                ) { _ in
                    try FileManager.default.createDirectory(
                        atPath: path + "/x", withIntermediateDirectories: true)
                }
            }
            #expect(error == .notRecorded("'\(path)' could not be written: Is a directory."))
            #expect(try TrainerTests.checkpoint(folder, "run", step: 4).step == 4)
            #expect(try RunSummary(contentsOf: folder + "/run/summary.json").heldOut?.step == 4)
            let log = try text(folder + "/run/log.txt")
            #expect(log.components(separatedBy: "stays in memory").count == 2)
        }
    }
    /// The subjects are read again at every step, and one day one of them cannot be.
    @Test(arguments: [false, true])
    func dataThatCannotBeReadAnyMoreCostNoStep(isBlocked: Bool) throws {
        struct Unreadable: Error, Equatable {}
        try withTemporaryFolder { folder in
            let reads = Mutex(0)
            #expect(throws: Unreadable()) {
                try TrainerTests.train(folder, "run", steps: 1000, changes: ["checkpoint={every: 1000}"]) {
                    trainer in
                    // The error stays the one that ended the run where nothing can be saved.
                    if isBlocked { try Data().write(to: URL(fileURLWithPath: folder + "/run/checkpoints")) }
                    let run = trainer.prepared
                    let (reader, subjects) = (run.task.reader, run.task.subjects)
                    var options = run.configuration.patchOptions(
                        input: run.task.patchSize, effective: run.task.effectiveSize)
                    options.memoryBudget = 1
                    run.patches.source = PatchSource(
                        names: subjects.map(\.subject), channels: 1, assignment: run.assignment,
                        options: options, firstStep: 1
                    ) { index in
                        let isReadable = reads.withLock { count in
                            count += 1
                            return count <= 20
                        }
                        guard isReadable else { throw Unreadable() }
                        return try reader.read(subjects[index])
                    }
                }
            }
            let rows = try text(folder + "/run/metrics.csv").split(separator: "\n")
            let last = rows.count - 1
            #expect(last >= 1)
            let log = try text(folder + "/run/log.txt")
            #expect(log.contains("run/checkpoints' could not be made: ") == isBlocked)
            guard !isBlocked else { return }
            #expect(try CheckpointStore(runFolder: folder + "/run", keep: 3).list().map(\.step) == [last])
            #expect(try TrainerTests.checkpoint(folder, "run", step: last).step == last)
        }
    }
}
