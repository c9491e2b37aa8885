import Configuration
import Foundation
import Testing

extension RankTests {
    @Suite("What is given in the place of something else is named, with what to do")
    struct Messages {
        @Test(
            "A folder for a file, a file for a folder, and files of another kind",
            arguments: [
                (["train", "data"], ["data: this is a folder", "such as data/config.yaml"]),
                (["sweep", "data", "--output", "x"], ["data: this is a folder", "a YAML file"]),
                (
                    ["train", "run.yaml", "--output", "x", "--set", "data.list=data"],
                    ["/data is a folder; a CSV file", "such as ", "/data/subjects.csv"]
                ),
                (
                    ["train", "run.yaml", "--output", "x", "--resume", "data"],
                    ["'data' is no safetensors file", "it is a folder"]
                ),
                (
                    ["segment", "--checkpoint", "data", "--held-out", "--output", "x"],
                    ["The run data has no checkpoint"]
                ),
                (
                    ["segment", "--checkpoint", "run.yaml", "--held-out", "--output", "x"],
                    [
                        "'run.yaml' is no safetensors file, as a checkpoint is",
                        "a text that begins with 'batch: 2'",
                    ]
                ),
                (
                    ["evaluate", "--prediction", "run.yaml", "--list", "data/subjects.csv"],
                    ["--prediction is run.yaml, which is a file"]
                ),
                (
                    ["evaluate", "--prediction", "data", "--list", "data"],
                    ["The subject list data is a folder"]
                ),
                (["train", "run.yaml", "--output", "run.yaml"], ["--output is run.yaml, which is a file"]),
                (["sweep", "sweep.yaml", "--output", "run.yaml"], ["--output is run.yaml, which is a file"]),
                (
                    ["segment", "--checkpoint", "run", "--held-out", "--output", "run.yaml"],
                    ["--output is run.yaml, which is a file"]
                ),
                (["report", "run.yaml", "--output", "x"], ["RUN_DIR is run.yaml, which is a file"]),
                (["report", "data", "--output", "run.yaml"], ["--output is run.yaml, which is a file"]),
                (["phantom", "run.yaml"], ["OUT_DIR is run.yaml, which is a file"]),
                (
                    ["inspect", "sweep.yaml"],
                    ["sweep.yaml: this is a sweep's configuration", "dicerank sweep"]
                ),
                (
                    ["sweep", "run.yaml", "--output", "x"],
                    ["run.yaml: this is the configuration of a single run", "dicerank train"]
                ),
                (
                    ["train", "run.yaml", "--set", "optimizer.lr=1"],
                    ["unknown key 'optimizer.lr', the nearest known key is 'optimizer.learning_rate'"]
                ),
            ])
        func misplaced(arguments: [String], fragments: [String]) async throws {
            let small = try await SmallRun()
            try small.workspace.write(
                "run: {data: {list: a.csv}}\nnetworks: {deepmedic: {patches: [{size: 51, batch: 1}]}}\n",
                to: "sweep.yaml")
            expectRefusal(try await small.launcher().run(arguments), mentions: fragments)
            #expect(!small.workspace.exists("x/checkpoints") && !small.workspace.exists("x/metrics.csv"))
        }

        @Test("A list given with --set is looked up in the current folder")
        func listOfAnOption() async throws {
            let small = try await SmallRun(steps: 1)
            try FileManager.default.createDirectory(
                atPath: small.workspace.path("configs"), withIntermediateDirectories: true)
            try FileManager.default.moveItem(
                atPath: small.workspace.path("run.yaml"), toPath: small.workspace.path("configs/run.yaml"))
            let command = ["train", "configs/run.yaml", "--output", "run", "--quiet"]
            expectRefusal(
                try await small.launcher().run(command), mentions: ["/configs/data/subjects.csv"])
            let outcome = try await small.launcher(ranks: 2).run(
                command + ["--set", "data.list=data/subjects.csv"])
            #expect(outcome.exitCodes == [0, 0], "\(outcome)")
            let used = try RunConfiguration(contentsOf: small.workspace.path("run/config.yaml"))
            #expect(used.data.list.hasSuffix(small.workspace.folder.lastPathComponent + "/data/subjects.csv"))
        }

        @Test("One of something is no plural")
        func singular() async throws {
            let small = try await SmallRun(steps: 1)
            let list = try small.workspace.read("data/subjects.csv").split(separator: "\n").prefix(2)
            try small.workspace.write(list.joined(separator: "\n") + "\n", to: "data/subjects.csv")
            let inspected = try await small.launcher().run(["inspect", "run.yaml", "--draws", "5"])
            #expect(inspected.standardOutput.contains("\n1 subject, foreground of a volume"), "\(inspected)")
            let trained = try await small.launcher().run(["train", "run.yaml", "--output", "run"])
            #expect(trained.standardOutput.contains("DSC of the last step: median"), "\(trained)")
            let again = try await small.launcher().run(["train", "run.yaml", "--output", "run"])
            #expect(again.standardOutput == "run: its only step was done before\n")
            try FileManager.default.createDirectory(
                atPath: small.workspace.path("out"), withIntermediateDirectories: true)
            expectRefusal(
                try await small.launcher().run([
                    "evaluate", "--prediction", "out", "--list", "data/subjects.csv",
                ]),
                mentions: ["of the 1 subject of data/subjects.csv, phantom-001 has no segmentation in out"])
            let plural = /\b1 (subject|step|rank|thread|lesion|cell|run|window|patche|slice|voxel)s\b/
            for outcome in [inspected, trained, again] {
                #expect(outcome.description.firstMatch(of: plural) == nil, "\(outcome)")
            }
        }

        @Test("--quiet hides no warning")
        func quiet() async throws {
            let small = try await SmallRun(steps: 6)
            let trained = try await small.train()
            try #require(trained.exitCode == 0, "\(trained)")
            // The newest checkpoint is damaged.
            let file = URL(fileURLWithPath: small.checkpoint(6))
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count - 1000] ^= 0x10
            try bytes.write(to: file)
            let segmented = try await small.launcher().run([
                "segment", "--checkpoint", "run", "--list", "data/subjects.csv", "--output", "out", "--quiet",
            ])
            #expect(segmented.exitCode == 0, "\(segmented)")
            let warnings = segmented.standardError.split(separator: "\n")
            #expect(warnings.count == 1, "\(segmented)")
            #expect(warnings.first?.hasPrefix("warning: '") ?? false)
            #expect(segmented.standardError.contains("step-00000006.safetensors"))
            try FileManager.default.removeItem(atPath: small.workspace.path("out/phantom-002.nii.gz"))
            let scored = try await small.launcher().run([
                "evaluate", "--prediction", "out", "--list", "data/subjects.csv", "--skip-missing", "--quiet",
            ])
            #expect(
                scored.standardError
                    == "warning: of the 4 subjects of data/subjects.csv, phantom-002 has no segmentation in out, and is "
                    + "not scored.\n", "\(scored)")
        }
    }
}
