import Foundation
import RunFiles
import Testing

extension RankTests {
    @Suite("A run that was stopped goes on")
    struct Resume {
        @Test(
            "Killed after step 20 and resumed, 40 steps end with the same bits",
            arguments: [(1, "float32"), (2, "float32"), (2, "bfloat16")])
        func afterKill(ranks: Int, wire: String) async throws {
            let small = try await SmallRun(steps: 40, changes: ["distributed": "{wire: \(wire)}"])
            let whole = try await small.train(ranks: ranks, output: "whole")
            try #require(whole.exitCode == 0, "\(whole)")

            let broken = try small.launcher(ranks: ranks).start([
                "train", "run.yaml", "--output", "broken", "--quiet",
            ])
            let reached = try await broken.wait {
                FileManager.default.fileExists(atPath: small.checkpoint(20, output: "broken"))
            }
            try #require(reached)
            broken.signalRanks(SIGKILL)
            let outcome = try await broken.outcome()
            #expect(outcome.exitCode != 0)
            try #require(!FileManager.default.fileExists(atPath: small.checkpoint(40, output: "broken")))

            let resumed = try await small.train(ranks: ranks, output: "broken")
            try #require(resumed.exitCode == 0, "\(resumed)")
            let expected = try Checkpoint(contentsOf: small.checkpoint(40, output: "whole"))
            let found = try Checkpoint(contentsOf: small.checkpoint(40, output: "broken"))
            #expect(found.step == 40)
            #expect(found.tensors == expected.tensors)
            let losses = try small.metric("loss", output: "broken")
            #expect(losses == (try small.metric("loss", output: "whole")))
        }

        @Test(
            "A signal ends with a checkpoint, and with its code unless a job's script sent it",
            arguments: [(SIGTERM, 143), (SIGINT, 130), (SIGUSR1, 0)] as [(Int32, Int32)])
        func onSignal(number: Int32, code: Int32) async throws {
            let small = try await SmallRun(
                steps: 100_000, changes: ["checkpoint": "{every: 100000, keep: 2}"])
            let running = try await small.startTraining()
            running.signal(number)
            let outcome = try await running.outcome()
            #expect(outcome.exitCode == code, "\(outcome)")
            #expect(outcome.errors.isEmpty)
            let latest = try small.workspace.read("run/latest").trimmingCharacters(
                in: .whitespacesAndNewlines)
            let stopped = try Checkpoint(contentsOf: small.workspace.path("run/" + latest))
            #expect(stopped.step >= 2)

            let resumed = try await small.train(options: ["--set", "steps=\(stopped.step + 2)"])
            try #require(resumed.exitCode == 0, "\(resumed)")
            #expect(try small.metric("loss").count == stopped.step + 2)
        }

        @Test(
            "A signal to one rank stops all of them with a checkpoint and the same code",
            arguments: [(SIGTERM, 143), (SIGINT, 130), (SIGUSR1, 0)] as [(Int32, Int32)])
        func onSignalToARank(number: Int32, code: Int32) async throws {
            let small = try await SmallRun()
            var launcher = small.launcher(ranks: 2)
            launcher.environment["DICERANK_FAULT"] = "\(number):1:3:computing gradients"
            let outcome = try await launcher.run(["train", "run.yaml", "--output", "run", "--quiet"])
            #expect(outcome.exitCodes == [code, code], "\(outcome)")
            #expect(outcome.exitCode == code && outcome.errors.isEmpty, "\(outcome)")
            #expect(try Checkpoint(contentsOf: small.checkpoint(3)).step == 3)
        }

        @Test("A signal that comes when all is done changes nothing")
        func afterTheEnd() async throws {
            let small = try await SmallRun()
            var launcher = small.launcher(ranks: 2)
            launcher.environment["DICERANK_FAULT"] = "\(SIGTERM):1:4:writing a checkpoint"
            let outcome = try await launcher.run(["train", "run.yaml", "--output", "run", "--quiet"])
            #expect(outcome.exitCodes == [0, 0], "\(outcome)")
        }

        @Test("A signal to all ranks stops them with a checkpoint")
        func onSignalToRanks() async throws {
            let small = try await SmallRun(
                steps: 100_000, changes: ["checkpoint": "{every: 100000, keep: 2}"])
            let running = try await small.startTraining(ranks: 2)
            running.signalRanks(SIGTERM)
            let outcome = try await running.outcome()
            #expect(outcome.exitCode == 143, "\(outcome)")
            #expect(outcome.exitCodes == [143, 143])
            #expect(small.workspace.exists("run/latest"))
        }

        @Test("Rank 0 says that the run stopped before its first step where only another rank got the signal")
        func onSignalBeforeTheFirstStep() async throws {
            let small = try await SmallRun()
            var launcher = small.launcher(ranks: 2)
            launcher.environment["DICERANK_FAULT"] = "\(SIGTERM):1:0:preparing the first step"
            let outcome = try await launcher.run(["train", "run.yaml", "--output", "run", "--quiet"])
            #expect(outcome.exitCodes == [143, 143], "\(outcome)")
            #expect(
                outcome.standardOutput
                    == "run: stopped before its first step; the same command goes on\n")
        }

        @Test("Killed after its last checkpoint, a run has a summary for the next start to complete")
        func summaryBeforeTheLastCheckpoint() async throws {
            let small = try await SmallRun()
            var launcher = small.launcher()
            launcher.environment["DICERANK_FAULT"] = "\(SIGKILL):0:4:writing a checkpoint"
            let outcome = try await launcher.run(["train", "run.yaml", "--output", "run", "--quiet"])
            #expect(outcome.exitCode != 0)
            let summary = try RunSummary(contentsOf: small.workspace.path("run/summary.json"))
            #expect(summary.steps == 4 && !summary.complete)
        }

        @Test("mpirun hands SIGUSR1 on, as Slurm's --signal sends it")
        func onSignalToLauncher() async throws {
            let small = try await SmallRun(
                steps: 100_000, changes: ["checkpoint": "{every: 100000, keep: 2}"])
            let running = try await small.startTraining(ranks: 2)
            running.signal(SIGUSR1)
            let outcome = try await running.outcome()
            #expect(outcome.exitCodes == [0, 0], "\(outcome)")
            #expect(small.workspace.exists("run/latest"))
        }
    }
}
