import Foundation
import RunFiles
import Testing

extension RankTests {
    @Suite("A sweep")
    struct Sweep {
        /// Four cells of slices: two learning rates and two losses.
        private func prepared(_ changes: [String: String] = [:], steps: Int = 6) async throws -> SmallRun {
            let small = try await SmallRun()
            var lines = [
                "run": """

                  seed: 3
                  steps: \(steps)
                  data: {list: data/subjects.csv, modalities: [flair], mask: wm, held_out: 0.25}
                  threads: 1
                  convolution: winograd
                  checkpoint: {every: 5}
                  log: {tensorboard: false}
                """,
                "last": "3",
                "networks":
                    "{highres3dnet: {patches: [{size: [1, 41, 41], batch: 2}], set: {network.widths: [2, 4, 4]}}}",
                "learning_rates": "[1.0e-2, 1.0e-3]", "losses": "[wce, gdl]",
            ]
            lines.merge(changes) { $1 }
            let text = lines.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\n" }.joined()
            try small.workspace.write(text, to: "sweep.yaml")
            return small
        }

        private static let cells = ["lr1e-2-wce", "lr1e-2-gdl", "lr1e-3-wce", "lr1e-3-gdl"].map {
            "highres3dnet-p1x41x41-b2-" + $0
        }

        private func sweep(
            _ small: SmallRun, ranks: Int? = nil, output: String = "sweep", _ options: [String] = []
        ) async throws -> Launcher.Outcome {
            try await small.launcher(ranks: ranks).run(
                ["sweep", "sweep.yaml", "--output", output, "--quiet"] + options)
        }

        private func losses(_ small: SmallRun, _ cell: String, in output: String) throws -> [Double] {
            try small.metric("loss", output: "\(output)/runs/\(cell)")
        }

        @Test("Alone, on two ranks together and on two ranks side by side, cells are the same runs")
        func ranksDoNotMatter() async throws {
            let small = try await prepared()
            let alone = try await sweep(small)
            try #require(alone.exitCode == 0, "\(alone)")
            #expect(alone.standardOutput == "4 of 4 cells done: sweep/report/index.html\n")
            let together = try await sweep(small, ranks: 2, output: "together")
            try #require(together.exitCodes == [0, 0], "\(together)")
            let apart = try await sweep(small, ranks: 2, output: "apart", ["--set", "ranks_per_run=1"])
            try #require(apart.exitCodes == [0, 0], "\(apart)")
            #expect(apart.standardOutput == "4 of 4 cells done: apart/report/index.html\n")
            for cell in Self.cells {
                let expected = try losses(small, cell, in: "sweep")
                #expect(expected.count == 6)
                // A group of one rank adds up as a run alone does; two ranks round differently.
                #expect(try losses(small, cell, in: "apart") == expected)
                for (a, b) in zip(try losses(small, cell, in: "together"), expected) {
                    #expect(abs(a - b) < 1e-4)
                }
                let summary = try RunSummary(
                    contentsOf: small.workspace.path("apart/runs/\(cell)/summary.json"))
                #expect(summary.ranks == 1 && summary.complete)
            }
            let page = try small.workspace.read("sweep/report/index.html")
            for text in [
                "4 of 4 finished", "3 trained on, 1 held out", "Figure 1", "Figure 4", "DSC during training",
            ] {
                #expect(page.contains(text), "\(text)")
            }
            let table = try small.workspace.read("sweep/report/runs.csv").split(separator: "\n")
            #expect(
                table.count == 5
                    && table[1].hasPrefix(
                        Self.cells[0] + ",highres3dnet,1x41x41,1x5x5,2,1e-2,wce,finished,6,")
            )

            // Nothing is left to do, and what is done stays as it is.
            let before = try small.workspace.read("sweep/runs/\(Self.cells[0])/metrics.csv")
            let again = try await sweep(small)
            #expect(again.standardOutput == alone.standardOutput)
            #expect(try small.workspace.read("sweep/runs/\(Self.cells[0])/metrics.csv") == before)
        }

        @Test("Groups on one node share its cores")
        func threads() async throws {
            let small = try await prepared(["learning_rates": "[1.0e-3]"], steps: 1)
            let outcome = try await sweep(
                small, ranks: 2, ["--set", "ranks_per_run=1", "--set", "run.threads=auto"])
            try #require(outcome.exitCodes == [0, 0], "\(outcome)")
            for cell in Self.cells.suffix(2) {
                let summary = try RunSummary(
                    contentsOf: small.workspace.path("sweep/runs/\(cell)/summary.json"))
                #expect(summary.threads == max(1, ProcessInfo.processInfo.activeProcessorCount / 2))
            }
        }

        @Test(
            "Groups of ranks that a signal to one of them stops end with the same code",
            arguments: [(SIGTERM, 143), (SIGINT, 130), (SIGUSR1, 0)] as [(Int32, Int32)])
        func stoppedGroups(number: Int32, code: Int32) async throws {
            let small = try await prepared(["learning_rates": "[1.0e-3]"])
            var launcher = small.launcher(ranks: 2)
            launcher.environment["DICERANK_FAULT"] = "\(number):0:2:computing gradients"
            let outcome = try await launcher.run([
                "sweep", "sweep.yaml", "--output", "sweep", "--quiet", "--set", "ranks_per_run=1",
            ])
            #expect(outcome.exitCodes == [code, code], "\(outcome)")
            #expect(outcome.standardOutput.hasPrefix("sweep: stopped by SIG"), "\(outcome)")
        }

        @Test("The log has the median that the tables have, and says of how many steps it is")
        func lastSteps() async throws {
            let small = try await prepared(["learning_rates": "[1.0e-3]", "losses": "[gdl]"])
            let outcome = try await small.launcher().run(["sweep", "sweep.yaml", "--output", "sweep"])
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(outcome.standardOutput == "1 of 1 cell done: sweep/report/index.html\n")
            let dice = try small.metric("dsc", output: "sweep/runs/" + Self.cells[3]).suffix(3).sorted()
            #expect(
                outcome.standardError.contains(
                    ", median DSC \(String(format: "%.3f", dice[1])) of the last 3 steps\n"),
                "\(outcome)")
            let other = try await small.launcher().run([
                "sweep", "sweep.yaml", "--output", "sweep", "--report-only", "--set", "last=100",
            ])
            #expect(other.exitCode == 0, "\(other)")
            let report = try small.workspace.read("sweep/report/report.md")
            #expect(report.contains("over the last 6 steps") && !report.contains("100"))
            let listing = try await sweep(small, ["--dry-run"])
            #expect(
                listing.standardOutput.hasSuffix(
                    "\n1 cell of 6 steps on 3 subjects, one after the other on 1 rank\n"))
        }

        @Test("Stopped by a signal, it goes on where it was", arguments: [nil, 2])
        func stopped(ranks: Int?) async throws {
            let small = try await prepared(steps: 30)
            let whole = try await sweep(small, ranks: ranks, output: "whole")
            try #require(whole.exitCode == 0, "\(whole)")
            let running = try small.launcher(ranks: ranks).start([
                "sweep", "sweep.yaml", "--output", "sweep", "--quiet",
            ])
            let isInSecond = try await running.wait {
                ((try? losses(small, Self.cells[1], in: "sweep")) ?? []).count >= 3
            }
            try #require(isInSecond)
            running.signalRanks(SIGTERM)
            let outcome = try await running.outcome()
            #expect(outcome.exitCodes.allSatisfy { $0 == 143 }, "\(outcome)")
            #expect(
                outcome.standardOutput == "sweep: stopped by SIGTERM; the same command goes on from there.\n")
            #expect(!small.workspace.exists("sweep/report"))
            let steps = try losses(small, Self.cells[1], in: "sweep").count
            #expect(steps < 30)
            #expect(!small.workspace.exists("sweep/runs/\(Self.cells[3])"))

            let listing = try await sweep(small, ["--dry-run"])
            let states = listing.standardOutput.split(separator: "\n").map {
                $0.split(separator: ":").last ?? ""
            }
            #expect(states.prefix(4) == [" done", " at step \(steps) of 30", " new", " new"], "\(listing)")

            let resumed = try await sweep(small, ranks: ranks)
            try #require(resumed.exitCode == 0, "\(resumed)")
            for cell in Self.cells {
                #expect(try losses(small, cell, in: "sweep") == losses(small, cell, in: "whole"))
            }
        }

        @Test("A cell is not done before its held-out subjects are scored")
        func stoppedScoring() async throws {
            let small = try await prepared(["learning_rates": "[1.0e-3]"], steps: 1)
            var launcher = small.launcher()
            launcher.environment["DICERANK_FAULT"] = "\(SIGTERM):0:1:preparing the held-out subjects"
            let stopped = try await launcher.run(["sweep", "sweep.yaml", "--output", "sweep", "--quiet"])
            #expect(
                stopped.standardOutput == "sweep: stopped by SIGTERM; the same command goes on from there.\n")
            let listing = try await sweep(small, ["--dry-run"])
            let states = listing.standardOutput.split(separator: "\n").map {
                $0.split(separator: ":").last ?? ""
            }
            #expect(states.prefix(2) == [" at step 1 of 1", " new"], "\(listing)")

            let resumed = try await sweep(small)
            #expect(
                resumed.standardOutput == "2 of 2 cells done: sweep/report/index.html\n", "\(resumed)")
            for cell in Self.cells.suffix(2) {
                let summary = try RunSummary(
                    contentsOf: small.workspace.path("sweep/runs/\(cell)/summary.json"))
                #expect(summary.complete && summary.heldOut?.subjects == 1)
            }
        }

        @Test("A cell that fails is noted, and the others run", arguments: [nil, 2])
        func failedCell(ranks: Int?) async throws {
            // Steps of this length leave the numbers' range.
            let small = try await prepared(
                ["learning_rates": "[1.0e+3, 1.0e-3]", "losses": "[wce]"], steps: 20)
            let options = ["--set", "run.optimizer.name=sgd"]
            let outcome = try await sweep(small, ranks: ranks, options)
            #expect(outcome.exitCodes.allSatisfy { $0 == 0 }, "\(outcome)")
            #expect(outcome.standardOutput.hasPrefix("1 of 2 cells done, 1 failed"), "\(outcome)")
            // Quiet as it is, it warns, and once.
            let warnings = outcome.standardError.split(separator: "\n").filter { $0.contains(" failed: ") }
            #expect(warnings.count == 1 && warnings[0].hasPrefix("warning: highres3dnet"), "\(outcome)")
            let cell = "highres3dnet-p1x41x41-b2-lr1e3-wce"
            let sentence = try small.workspace.read("sweep/runs/\(cell)/failure.txt")
            #expect(sentence.contains("is not finite"))
            let report = try small.workspace.read("sweep/report/report.md")
            #expect(report.contains("- `\(cell)`: \(sentence.trimmingCharacters(in: .newlines))"))
            #expect(report.contains("| 1e3 | failed |"))
            // It stays as it is until it is asked for.
            let steps = try losses(small, cell, in: "sweep").count
            _ = try await sweep(small, ranks: ranks, options)
            #expect(try losses(small, cell, in: "sweep").count == steps)
            let retried = try await sweep(small, ranks: ranks, options + ["--retry-failed"])
            #expect(retried.standardOutput.hasPrefix("1 of 2 cells done, 1 failed"), "\(retried)")
        }

        @Test("Where no cell can be trained, the first one's reason is the sentence", arguments: [nil, 2])
        func allFail(ranks: Int?) async throws {
            let small = try await prepared(["learning_rates": "[1.0e-3]"])
            for name in ["phantom-001", "phantom-002", "phantom-003", "phantom-004"] {
                try small.spoil("data/\(name)/flair.nii.gz")
            }
            let outcome = try await sweep(small, ranks: ranks)
            expectRefusal(outcome, mentions: ["No cell is done, and 2 failed", "flair.nii.gz"])
        }

        @Test(
            "What cannot be run is said before the first cell starts",
            arguments: [
                (
                    "networks", "{highres3dnet: {patches: [{size: 41, batch: 2}, {size: 20, batch: 2}]}}",
                    ["highres3dnet-p20-b2-lr1e-2-wce", "20 voxels", "37"]
                ),
                (
                    "networks", "{highresnet: {patches: [{size: 41, batch: 2}]}}",
                    ["sweep.yaml", "highresnet", "highres3dnet"]
                ),
                ("losses", "[dice]", ["sweep.yaml", "'dice'", "gdl, wce"]),
                ("epochs", "3", ["sweep.yaml", "'epochs'"]),
                ("ranks_per_run", "2", ["1 rank", "groups of 2"]),
            ])
        func refused(key: String, value: String, fragments: [String]) async throws {
            let small = try await prepared([key: value])
            expectRefusal(try await sweep(small), mentions: fragments)
            #expect(!small.workspace.exists("sweep"))
        }

        @Test("Ranks that do not divide a batch, and those that would")
        func indivisible() async throws {
            let small = try await prepared()
            expectRefusal(
                try await sweep(small, ranks: 3),
                mentions: ["highres3dnet-p1x41x41-b2", "batch of 2", "3 ranks", "1 and 2"])
        }

        @Test("Any runs make a report")
        func report() async throws {
            let small = try await SmallRun(steps: 3)
            try #require(try await small.train(output: "a").exitCode == 0)
            try #require(
                try await small.train(output: "b", options: ["--set", "loss.name=wce"]).exitCode == 0)
            let outcome = try await small.launcher().run(
                ["report", "a", "b", "--output", "report", "--last", "2", "--title", "Two <losses>"])
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(outcome.standardOutput == "report/index.html\n")
            let page = try small.workspace.read("report/index.html")
            #expect(page.contains("<h1>Two &lt;losses&gt;</h1>") && page.contains("over the last 2 steps"))
            let table = try small.workspace.read("report/runs.csv").split(separator: "\n")
            #expect(table.count == 3 && table[1].hasPrefix("b,") && table[2].hasPrefix("a,"))
            expectRefusal(
                try await small.launcher().run(["report", "a", "none", "--output", "report"]),
                mentions: ["'none'", "config.yaml"])
        }
    }
}
