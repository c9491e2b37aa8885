import Foundation
import Testing

extension RankTests {
    @Suite("A bad configuration gets one sentence")
    struct BadConfiguration {
        @Test("On one rank and on two", arguments: [nil, 2])
        func unknownKey(ranks: Int?) async throws {
            let small = try await SmallRun(changes: ["optimizer": "{name: adam, learning_rat: 0.001}"])
            expectRefusal(
                try await small.train(ranks: ranks),
                mentions: ["run.yaml", "learning_rat'", "optimizer.learning_rate"])
            #expect(!small.workspace.exists("run/checkpoints"))
        }

        @Test(
            "Values",
            arguments: [
                ("batch", "0", ["batch", "'0'", "1 to 65536"]),
                ("optimizer", "{learning_rate: fast}", ["optimizer.learning_rate", "'fast'"]),
                ("patch", "{size: 20}", ["patch", "20", "37"]),
                ("patch", "{size: 51, sampler: best}", ["patch.sampler", "'best'", "foreground"]),
                ("network", "{name: highresnet}", ["network.name", "'highresnet'", "highres3dnet"]),
                (
                    "data", "{list: data/subjects.csv, modalities: [flair, t3], reference: lesion}",
                    ["subjects.csv", "t3"]
                ),
                ("distributed", "{wire: float16}", ["distributed.wire", "'float16'", "float32, bfloat16"]),
                (
                    "distributed", "{reduction: deterministic, wire: bfloat16}",
                    ["run.yaml", "distributed.wire", "'bfloat16'", "deterministic", "expected float32"]
                ),
                ("data", "{modalities: [flair]}", ["run.yaml", "data.list"]),
                ("data", "{list: data/subject.csv}", ["data/subject.csv"]),
            ])
        func badValue(key: String, value: String, fragments: [String]) async throws {
            let small = try await SmallRun(changes: [key: value])
            expectRefusal(try await small.train(), mentions: fragments)
        }

        @Test("A missing file and a bad option")
        func missingFile() async throws {
            let workspace = try Workspace()
            let launcher = Launcher(folder: workspace.folder)
            expectRefusal(try await launcher.run(["train", "none.yaml"]), mentions: ["none.yaml"])
            let small = try await SmallRun()
            expectRefusal(
                try await small.train(options: ["--set", "optimizer.learning_rte=1"]),
                mentions: ["--set", "learning_rte", "optimizer.learning_rate"])
            expectRefusal(
                try await small.train(options: ["--resume", "nothing.safetensors"]),
                mentions: ["nothing.safetensors"])
        }

        @Test("Broken YAML names the line")
        func brokenYAML() async throws {
            let small = try await SmallRun()
            try small.workspace.write("seed: 1\nbatch: [1, 2\nsteps: 4\n", to: "run.yaml")
            expectRefusal(try await small.train(), mentions: ["run.yaml:"])
        }

        @Test("Ranks that do not divide the batch, and those that would")
        func indivisibleBatch() async throws {
            let small = try await SmallRun(changes: ["batch": "4"])
            expectRefusal(try await small.train(ranks: 3), mentions: ["batch", "4", "3", "1, 2"])
        }
    }
}
