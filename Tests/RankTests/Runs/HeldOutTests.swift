import Configuration
import Foundation
import RunFiles
import Testing
import Training

extension RankTests {
    /// Three of four subjects are held out.
    @Suite("Held-out subjects are scored once each, on any number of ranks")
    struct HeldOut {
        static let data =
            "{list: data/subjects.csv, modalities: [flair, t1], reference: lesion, mask: wm, held_out: 0.75}"

        private func rows(_ small: SmallRun, _ name: String) throws -> [[String]] {
            try small.workspace.read(name).split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
        }

        @Test("1 and 2 ranks give the same scores, which are those of segment and evaluate")
        func sameScores() async throws {
            let small = try await SmallRun(
                steps: 4,
                changes: [
                    "data": Self.data, "evaluate": "{every: 2}",
                    "optimizer": "{name: sgd, learning_rate: 0.002}",
                ])
            for ranks in [1, 2] {
                let outcome = try await small.train(ranks: ranks, output: "run\(ranks)")
                try #require(outcome.exitCode == 0, "\(outcome)")
                #expect(outcome.standardOutput.contains("of 3 held-out subjects: median"))
            }
            let (alone, shared) = (try rows(small, "run1/held_out.csv"), try rows(small, "run2/held_out.csv"))
            #expect(alone.map { $0[0] } == ["step", "2", "2", "2", "4", "4", "4"])
            #expect(Set(alone.dropFirst().map { $0[1] }).count == 3)
            #expect(alone.map { $0[1] } == shared.map { $0[1] })
            // The networks segment something, or equal scores would say little.
            #expect(alone.dropFirst().contains { (Double($0[3]) ?? 0) > 0 })
            // Parameters differ by float rounding, which may turn a voxel over.
            for (one, other) in zip(alone, shared).dropFirst() {
                #expect(abs((Double(one[3]) ?? 1) - (Double(other[3]) ?? 0)) < 1e-3, "\(one), \(other)")
            }
            for run in ["run1", "run2"] {
                for arguments in [
                    ["segment", "--checkpoint", run, "--held-out", "--output", run + "/out"],
                    [
                        "evaluate", "--prediction", run + "/out", "--config", run + "/config.yaml",
                        "--held-out",
                        "--output", run + "/scores.csv",
                    ],
                ] {
                    let outcome = try await small.launcher().run(arguments + ["--quiet"])
                    try #require(outcome.exitCode == 0, "\(outcome)")
                }
                let expected = try rows(small, run + "/scores.csv").dropFirst().prefix(3)
                let found = try rows(small, run + "/held_out.csv").suffix(3).map { Array($0.dropFirst()) }
                #expect(found == Array(expected))
            }
        }

        @Test("Where the list has changed, no subject is taken for held out that the training may have seen")
        func otherList() async throws {
            let small = try await SmallRun(changes: ["data": Self.data])
            let trained = try await small.train(options: ["--set", "evaluate.at_end=false"])
            try #require(trained.exitCode == 0, "\(trained)")
            var rows = try small.workspace.read("data/subjects.csv").split(separator: "\n")
            rows.swapAt(1, 3)
            try small.workspace.write(rows.joined(separator: "\n") + "\n", to: "data/subjects.csv")
            for arguments in [
                ["segment", "--checkpoint", "run", "--held-out", "--output", "out"],
                ["evaluate", "--prediction", "out", "--config", "run/config.yaml", "--held-out"],
                ["train", "run.yaml", "--output", "run", "--set", "steps=6"],
            ] {
                let outcome = try await small.launcher().run(arguments + ["--quiet"])
                expectRefusal(
                    outcome,
                    mentions: [
                        "step-00000004.safetensors", "a list of 4 subjects", "has them in another order",
                    ])
            }
        }

        @Test("A run whose scoring a signal stops is complete only when the same command has done it")
        func stoppedScoring() async throws {
            let small = try await SmallRun(changes: ["data": Self.data])
            func summary() throws -> RunSummary {
                try RunSummary(contentsOf: small.workspace.path("run/summary.json"))
            }
            var launcher = small.launcher(ranks: 2)
            launcher.environment["DICERANK_FAULT"] = "\(SIGTERM):1:4:preparing the held-out subjects"
            let command = ["train", "run.yaml", "--output", "run", "--quiet"]
            let stopped = try await launcher.run(command)
            #expect(stopped.exitCodes == [143, 143], "\(stopped)")
            #expect(stopped.standardOutput.hasPrefix("run: stopped after step 4 of 4, "), "\(stopped)")
            #expect(stopped.standardOutput.hasSuffix("; the same command scores the held-out subjects\n"))
            #expect(try summary().steps == 4 && !summary().complete)

            let again = try await launcher.run(command)
            #expect(again.exitCodes == [143, 143], "\(again)")
            #expect(
                again.standardOutput
                    == "run: stopped before its held-out subjects were scored; the same command goes on\n")
            #expect(try !summary().complete)

            let done = try await small.train(ranks: 2)
            #expect(done.standardOutput == "run: all 4 steps were done before\n", "\(done)")
            #expect(try summary().complete && summary().heldOut?.subjects == 3)
        }

        @Test("What only the voxels tell ends the run on all ranks with one sentence, after the checkpoint")
        func damaged() async throws {
            let small = try await SmallRun(changes: ["data": Self.data])
            let configuration = try RunConfiguration(contentsOf: small.workspace.path("run.yaml"))
            let task = try TrainingTask(configuration)
            // Rank 1 has it.
            let image = task.heldOut[1].images[0].path
            // Its header, its end and its reference are as they should be.
            try small.spoil(image)
            let outcome = try await small.train(ranks: 2)
            expectRefusal(outcome, mentions: ["Rank 1 of 2", image, "NaN"])
            #expect(try Checkpoint(contentsOf: small.checkpoint(4)).step == 4)
            #expect(!small.workspace.exists("run/held_out.csv"))
        }
    }
}
