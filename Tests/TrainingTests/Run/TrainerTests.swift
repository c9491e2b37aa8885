import Collectives
import Configuration
import Engine
import Foundation
import Geometry
import Glibc
import RunFiles
import Sampling
import Synchronization
import TestSupport
import Testing

@testable import Training

/// Runs of a very small HighRes3DNet on one rank, the smallest patch, noise with a bright cube.
@Suite(.serialized) struct TrainerTests {
    /// Two subjects of 40^3 voxels in `folder`, and a configuration that trains on them.
    static func configuration(in folder: String, steps: Int, changes: [String] = []) throws
        -> RunConfiguration
    {
        let list = folder + "/subjects.csv"
        if !FileManager.default.fileExists(atPath: list) {
            let size = 40
            let geometry = VolumeGeometry(extent: Size3(cube: size), spacing: [1, 1, 1], origin: [0, 0, 0])
            for subject in 0..<2 {
                var image = (0..<size * size * size).map {
                    Float(1 + ($0 + subject) &* 2_654_435_761 % 9973 % 100)
                }
                var labels = [UInt8](repeating: 0, count: image.count)
                for offset in image.indices {
                    let axes = [offset / size / size, offset / size % size, offset % size]
                    if axes.allSatisfy({ 15..<25 ~= $0 }) {
                        image[offset] += 100
                        labels[offset] = 1
                    }
                }
                try Volume(geometry: geometry, voxels: image).write(to: "\(folder)/\(subject).nii")
                try LabelMap(geometry: geometry, labels: labels).write(to: "\(folder)/\(subject)-label.nii")
            }
            let rows = "subject,t1,lesion\na,0.nii,0-label.nii\nb,1.nii,1-label.nii\n"
            try AtomicFile.write(list, text: rows)
        }
        let yaml = """
            data: {list: subjects.csv}
            steps: \(steps)
            batch: 2
            patch: {size: 39}
            network: {widths: [1, 1, 1], hidden: 2}
            optimizer: {learning_rate: 0.01}
            checkpoint: {every: 2}
            threads: 1
            convolution: winograd
            """
        return try RunConfiguration(yaml: yaml, folder: folder, overrides: changes)
    }

    /// A run in `folder`/`name`; the summary and what the console showed.
    @discardableResult
    static func train(
        _ folder: String, _ name: String, steps: Int, resume: ResumeRule = .automatic, changes: [String] = [],
        prepare: (Trainer) throws -> Void = { _ in }
    ) throws -> (summary: RunSummary?, output: String) {
        let recorder = Recorder()
        let trainer = try Trainer(
            configuration(in: folder, steps: steps, changes: changes),
            options: TrainingOptions(runFolder: "\(folder)/\(name)", resume: resume),
            communicator: SoloCommunicator(),
            console: recorder.console(width: nil))
        try prepare(trainer)
        return (try trainer.run(), recorder.text)
    }

    static func checkpoint(_ folder: String, _ name: String, step: Int) throws -> Checkpoint {
        try Checkpoint(contentsOf: "\(folder)/\(name)/checkpoints/" + CheckpointStore.fileName(step: step))
    }

    @Test func aRunFillsItsDirectory() throws {
        try withTemporaryFolder { folder in
            let (summary, output) = try Self.train(folder, "run", steps: 3)
            let found = try #require(summary)
            #expect(found.steps == 3 && found.complete && found.ranks == 1 && found.threads == 1)
            #expect(found.dscSteps == 3)
            #expect(found.communicationShare == 0)
            #expect(output.contains("step 3/3  100 %"))
            #expect(
                try Files.names(folder + "/run") == [
                    "checkpoints", "config.yaml", "latest", "log.txt", "metrics.csv", "summary.json",
                    "tensorboard",
                ])
            let resolved = try RunConfiguration(contentsOf: folder + "/run/config.yaml")
            #expect(resolved.data.modalities == ["t1"])
            let checkpoint = try Self.checkpoint(folder, "run", step: 3)
            #expect(try checkpoint.configuration() == resolved)
            #expect(checkpoint.tensors.contains { $0.name.hasSuffix(".running_mean") })
            #expect(try CheckpointStore(runFolder: folder + "/run", keep: 3).list().map(\.step) == [2, 3])
        }
    }

    /// A choice by time holds for the whole run, whatever the clock says at a resume.
    @Test func aResumedRunKeepsItsAlgorithms() throws {
        try withTemporaryFolder { folder in
            let changes = ["convolution=auto"]
            let (_, output) = try Self.train(folder, "run", steps: 2, changes: changes)
            let log = try String(contentsOfFile: folder + "/run/log.txt", encoding: .utf8)
            #expect(log.contains("debug: Convolutions were timed for") && !output.contains("were timed"))
            var checkpoint = try Self.checkpoint(folder, "run", step: 2)
            let lines = checkpoint.algorithms.split(separator: "\n")
            #expect(lines.count == 19)
            // One that no clock would choose for all: the resume has to take it from the file.
            checkpoint.algorithms = lines.enumerated()
                .map { "\($1.split(separator: " ")[0]) \($0 % 2 == 0 ? "direct" : "winograd")" }
                .joined(separator: "\n")
            let edited = folder + "/edited.safetensors"
            try checkpoint.write(to: edited)
            var summary = ""
            var windows: AlgorithmChoice?
            let (_, resumed) = try Self.train(
                folder, "run", steps: 4, resume: .file(edited), changes: changes
            ) {
                summary = $0.prepared.step.summary
                windows = try HeldOutEvaluation(run: $0.prepared).slidingWindow().options.algorithms
            }
            // What is scored or segmented is computed as it was trained.
            let chosen = try checkpoint.algorithmChoice()
            #expect(chosen.named.count == 19 && chosen.text == checkpoint.algorithms)
            #expect(windows == chosen)
            #expect(!resumed.contains("timed"))
            #expect(summary.split(separator: "\n").count { $0.hasSuffix("Winograd F(4,3)") } == 9)
            #expect(try Self.checkpoint(folder, "run", step: 4).algorithms == checkpoint.algorithms)
        }
    }

    @Test func aCheckpointKnowsItsAlgorithms() throws {
        try withTemporaryFolder { folder in
            func choice(_ changes: [String]) throws -> AlgorithmChoice {
                let configuration = try Self.configuration(in: folder, steps: 1, changes: changes)
                return try Checkpoint(
                    step: 1, network: "highres3dnet", configurationText: configuration.yaml, ranks: 1,
                    threads: 1, algorithms: "a direct\nb winograd", tensors: []
                ).algorithmChoice()
            }
            let direct = try choice(["convolution=direct"])
            #expect(direct == AlgorithmChoice(.direct))
            let winograd = try choice(["convolution=winograd"])
            #expect(winograd == AlgorithmChoice(.winograd))
            let automatic = try choice(["convolution=auto"])
            #expect(automatic == AlgorithmChoice(named: ["a": .direct, "b": .winograd]))
            let deterministic = try choice(["convolution=auto", "distributed.reduction=deterministic"])
            #expect(deterministic == AlgorithmChoice(.winograd))
        }
    }

    /// Gradients of convolutions are summed a thread at a time: other threads, other bits.
    @Test func aDeterministicRunSaysWhereThreadsChange() throws {
        try withTemporaryFolder { folder in
            let deterministic = ["distributed.reduction=deterministic"]
            let warning = "was written with 1 thread a rank and this start has 2"
            try Self.train(folder, "run", steps: 1, changes: deterministic)
            let (_, same) = try Self.train(folder, "run", steps: 2, changes: deterministic)
            #expect(!same.contains("was written with 1 thread"))
            let (_, other) = try Self.train(folder, "run", steps: 3, changes: deterministic + ["threads=2"])
            #expect(other.contains(warning) && other.contains("set threads to 1"))
            try Self.train(folder, "fast", steps: 1)
            let (_, fast) = try Self.train(folder, "fast", steps: 2, changes: ["threads=2"])
            #expect(!fast.contains("was written with 1 thread"))
        }
    }

    @Test func aDeterministicRunHasEqualThreads() throws {
        try withTemporaryFolder { folder in
            func configuration(_ changes: [String]) throws -> RunConfiguration {
                try Self.configuration(in: folder, steps: 1, changes: changes)
            }
            let hosts = ["a", "a", "b", "b"]
            let deterministic = try configuration(["distributed.reduction=deterministic"])
            try deterministic.checkDeterminism(threads: [4, 4, 4, 4], hosts: hosts)
            let error = #expect(throws: TrainingError.self) {
                try deterministic.checkDeterminism(threads: [4, 4, 3, 4], hosts: hosts)
            }
            #expect(
                error?.description
                    == "distributed.reduction is deterministic with 3 threads on rank 2 on b and 4 on rank 0 on a, "
                    + "but expected as many on all ranks: set threads to the least of them.")
            try configuration([]).checkDeterminism(threads: [4, 4, 3, 4], hosts: hosts)
        }
    }

    @Test func aResumedRunEndsWithTheSameBits() throws {
        try withTemporaryFolder { folder in
            try Self.train(folder, "whole", steps: 5)
            try Self.train(folder, "parts", steps: 3)
            let (_, output) = try Self.train(folder, "parts", steps: 5)
            #expect(output.contains("Resuming at step 3 from"))
            #expect(output.contains("steps was 3 and is 5 from now on."))
            let whole = try Self.checkpoint(folder, "whole", step: 5)
            let parts = try Self.checkpoint(folder, "parts", step: 5)
            #expect(whole.tensors == parts.tensors)
            func curve(_ name: String) throws -> [Substring] {
                try String(contentsOfFile: "\(folder)/\(name)/metrics.csv", encoding: .utf8).split(
                    separator: "\n"
                )
                .map { $0.split(separator: ",").prefix(5).joined(separator: ",")[...] }
            }
            #expect(try curve("whole") == curve("parts"))

            let (again, notice) = try Self.train(folder, "parts", steps: 5)
            #expect(again == nil)
            #expect(notice.contains("Step 5 of 5 is done already: there is nothing to train."))
        }
    }

    @Test func whereARunBeginsIsChecked() throws {
        try withTemporaryFolder { folder in
            try Self.train(folder, "run", steps: 4)
            let run = folder + "/run"
            #expect(throws: TrainingError.runExists(folder: run, step: 4)) {
                try Self.train(folder, "run", steps: 6, resume: .never)
            }
            let newest = run + "/checkpoints/step-00000004.safetensors"
            #expect(
                throws: CheckpointError.otherConfiguration(
                    path: newest, key: "network.hidden", found: "2", expected: "3")
            ) {
                try Self.train(folder, "run", steps: 6, changes: ["network.hidden=3"])
            }
            // An explicit file in a new folder starts from it; a damaged newest falls back to the one before.
            let file = run + "/checkpoints/step-00000002.safetensors"
            let (fork, _) = try Self.train(folder, "fork", steps: 3, resume: .file(file))
            #expect(fork?.steps == 3)
            try Files.change(newest, at: -1) { $0 ^= 1 }
            let (_, output) = try Self.train(folder, "run", steps: 3)
            #expect(output.contains("warning: '\(newest)' is damaged"))
            #expect(output.contains("Resuming at step 2"))
            #expect(throws: CheckpointError.self) {
                try Self.train(folder, "other", steps: 6, resume: .file(newest + ".superseded"))
            }
        }
    }

    @Test func aCheckpointThatCannotBeWrittenDoesNotEndTheRun() throws {
        try withTemporaryFolder { folder in
            try Self.train(folder, "run", steps: 2)
            // A folder of that name cannot be replaced by a file.
            let blocked = folder + "/run/checkpoints/step-00000004.safetensors"
            try FileManager.default.createDirectory(atPath: blocked + "/x", withIntermediateDirectories: true)
            // The blocked name would be taken for a checkpoint when resuming by itself.
            let older = folder + "/run/checkpoints/step-00000002.safetensors"
            let (summary, _) = try Self.train(folder, "run", steps: 6, resume: .file(older))
            #expect(summary?.complete == true)
            // The step after it is written instead.
            #expect(try Self.checkpoint(folder, "run", step: 5).step == 5)
            #expect(try Self.checkpoint(folder, "run", step: 6).step == 6)
            let log = try String(contentsOfFile: folder + "/run/log.txt", encoding: .utf8)
            #expect(log.contains("warning: '\(blocked)' could not be written: Is a directory."))
        }
    }

    @Test func aLossThatIsNoNumberNamesThePatch() throws {
        try withTemporaryFolder { folder in
            #expect {
                try Self.train(folder, "run", steps: 2) { trainer in
                    let weights = trainer.prepared.step.model.parameters
                    weights.setValues(Array(repeating: .nan, count: weights.count))
                }
            } throws: { error in
                let pattern =
                    /At step 1 the loss( on the patch of [ab] at voxel .*)? is not finite; the checkpoints.*/
                return "\(error)".wholeMatch(of: pattern) != nil
            }
        }
    }

    /// Whoever starts a run again until it is complete looks at its summary.
    @Test func aFinishedRunIsNotCompleteFromTheStartThatGoesOn() throws {
        struct Preempted: Error {}
        try withTemporaryFolder { folder in
            func summary() throws -> RunSummary { try RunSummary(contentsOf: folder + "/run/summary.json") }
            try Self.train(folder, "run", steps: 2)
            var finished = try summary()
            #expect(finished.complete)
            #expect(throws: Preempted.self) {
                try Self.train(folder, "run", steps: 3) { _ in throw Preempted() }
            }
            finished.complete = false
            #expect(try summary() == finished)
            // It is complete after all where no more steps are asked for.
            #expect(try Self.train(folder, "run", steps: 2).summary == nil)
            finished.complete = true
            #expect(try summary() == finished)
            try Self.train(folder, "run", steps: 3)
            #expect(try summary().complete && summary().steps == 3)
        }
    }

    /// In a process of its own, since signals are a process's.
    @Test func aSignalEndsTheRunWithACheckpoint() async throws {
        await #expect(processExitsWith: .success) {
            try withTemporaryFolder { folder in
                let thread = Thread {
                    while !FileManager.default.fileExists(atPath: folder + "/run/latest") { usleep(1000) }
                    kill(getpid(), SIGUSR1)
                }
                thread.start()
                let (summary, output) = try TrainerTests.train(folder, "run", steps: 10000)
                let found = try #require(summary)
                #expect(!found.complete && found.steps >= 2 && found.steps < 10000)
                #expect(output.contains("SIGUSR1 was received: the run stops after step \(found.steps)"))
                #expect(try TrainerTests.checkpoint(folder, "run", step: found.steps).step == found.steps)
            }
        }
    }
}
