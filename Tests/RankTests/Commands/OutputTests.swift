import Foundation
import Sampling
import Testing

extension RankTests {
    @Suite("No command writes over what it reads or what another program made")
    struct Outputs {
        private static let heldOut =
            "{list: data/subjects.csv, modalities: [flair], reference: lesion, mask: wm, held_out: 0.25}"

        /// A run of one step on one modality without a mask.
        private func trained() async throws -> SmallRun {
            let small = try await SmallRun(
                steps: 1,
                changes: ["data": "{list: data/subjects.csv, modalities: [flair], reference: lesion}"])
            let outcome = try await small.train()
            try #require(outcome.exitCode == 0, "\(outcome)")
            return small
        }

        private func data(_ small: SmallRun, _ name: String) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: small.workspace.path(name)))
        }

        private func checkpoint(_ small: SmallRun) -> [String] {
            ["segment", "--checkpoint", "run", "--quiet"]
        }

        @Test("segment keeps its inputs and other programs' files, on one rank and on two")
        func segment() async throws {
            let small = try await trained()
            let scan = "data/phantom-001/flair.nii.gz"
            let before = try data(small, scan)
            let image = checkpoint(small) + ["--image", "flair=\(scan)"]
            for output in ["data/phantom-001", "data/../data/phantom-001/."] {
                for ranks in [nil, 2] {
                    let outcome = try await small.launcher(ranks: ranks).run(image + ["--output", output])
                    expectRefusal(outcome, mentions: [scan, "reads", "--output", "--subject"])
                }
            }
            // Not even --overwrite replaces an input.
            expectRefusal(
                try await small.launcher().run(image + ["--output", "data/phantom-001", "--overwrite"]),
                mentions: [scan, "reads"])
            #expect(try data(small, scan) == before)

            // The list's other files are inputs too, and so are those under the name of a subject.
            try small.workspace.write(
                "subject,flair,lesion\nlesion,flair.nii.gz,lesion.nii.gz\n", to: "data/phantom-001/list.csv")
            let reference = try data(small, "data/phantom-001/lesion.nii.gz")
            expectRefusal(
                try await small.launcher().run(
                    checkpoint(small) + [
                        "--list", "data/phantom-001/list.csv", "--output", "data/phantom-001",
                    ]),
                mentions: ["lesion.nii.gz", "reads"])
            #expect(try data(small, "data/phantom-001/lesion.nii.gz") == reference)

            // Another program's segmentation.
            let manual = try LabelMap(
                reading: small.workspace.path("data/phantom-001/lesion.nii.gz"), classes: 2)
            try FileManager.default.createDirectory(
                atPath: small.workspace.path("out"), withIntermediateDirectories: true)
            try manual.write(to: small.workspace.path("out/flair.nii.gz"), description: "by hand")
            let kept = try data(small, "out/flair.nii.gz")
            expectRefusal(
                try await small.launcher().run(image + ["--output", "out"]),
                mentions: ["out/flair.nii.gz", "did not make", "--overwrite"])
            #expect(try data(small, "out/flair.nii.gz") == kept)
            let replaced = try await small.launcher().run(image + ["--output", "out", "--overwrite"])
            #expect(replaced.exitCode == 0, "\(replaced)")
            #expect(try data(small, "out/flair.nii.gz") != kept)
        }

        @Test("segment keeps references that phantom made, and segmentations that were corrected since")
        func corrected() async throws {
            let small = try await trained()
            let reference = try data(small, "data/phantom-001/lesion.nii.gz")
            let image = checkpoint(small) + ["--image", "flair=data/phantom-001/flair.nii.gz"]
            expectRefusal(
                try await small.launcher().run(
                    image + ["--subject", "lesion", "--output", "data/phantom-001"]),
                mentions: ["lesion.nii.gz", "did not make", "--overwrite"])
            #expect(try data(small, "data/phantom-001/lesion.nii.gz") == reference)

            let path = small.workspace.path("out/flair.nii.gz")
            let first = try await small.launcher().run(image + ["--output", "out"])
            try #require(first.exitCode == 0, "\(first)")
            // An editor keeps the header, and what it says of the program.
            let made = try VolumeHeader(reading: path).description
            var labels = try LabelMap(reading: path, classes: 2)
            labels.labels[5] = 1 - labels.labels[5]
            try labels.write(to: path, description: made)
            let edited = try data(small, "out/flair.nii.gz")
            expectRefusal(
                try await small.launcher().run(image + ["--output", "out"]),
                mentions: ["out/flair.nii.gz has been changed since it was computed", "--overwrite"])
            #expect(try data(small, "out/flair.nii.gz") == edited)
            let replaced = try await small.launcher().run(image + ["--output", "out", "--overwrite"])
            #expect(replaced.exitCode == 0, "\(replaced)")
            #expect(try data(small, "out/flair.nii.gz") != edited)
        }

        @Test("A timeline is none of the files that the run writes beside it")
        func timelineInItsRun() async throws {
            let small = try await SmallRun(steps: 1)
            for name in ["config.yaml", "log.txt", "checkpoints/step-00000001.safetensors", "tensorboard/x"] {
                expectRefusal(
                    try await small.train(options: ["--timeline", "run/" + name]),
                    mentions: ["run/" + name, "--timeline"])
                #expect(!small.workspace.exists("run/checkpoints"))
            }
            let drawn = try await small.train(options: ["--timeline", "run/trace.json"])
            #expect(drawn.exitCode == 0 && small.workspace.exists("run/trace.json"), "\(drawn)")
        }

        @Test("report and sweep refuse folders of other things")
        func folders() async throws {
            let small = try await trained()
            try FileManager.default.createDirectory(
                atPath: small.workspace.path("notes"), withIntermediateDirectories: true)
            try small.workspace.write("mine", to: "notes/notes.txt")
            for folder in ["notes", "data", "run"] {
                expectRefusal(
                    try await small.launcher().run(["report", "run", "--output", folder]),
                    mentions: ["A report is written into a new or empty folder", folder])
            }
            try small.workspace.write(
                """
                run: {steps: 1, data: {list: data/subjects.csv, modalities: [flair], reference: lesion}}
                networks: {unet: {patches: [{size: 40, batch: 2}], set: {network.widths: [4, 4, 4]}}}
                learning_rates: [1.0e-3]
                losses: [gdl]
                """, to: "sweep.yaml")
            for folder in ["notes", "data", "run"] {
                expectRefusal(
                    try await small.launcher().run(["sweep", "sweep.yaml", "--output", folder]),
                    mentions: ["A sweep is written into a new or empty folder", folder])
            }
            #expect(!small.workspace.exists("notes/runs"))
        }

        @Test("Subjects whose files would be the same are refused, and names that are no file's")
        func names() async throws {
            let small = try await trained()
            let image = "phantom-001/flair.nii.gz"
            func segment(_ subjects: [String], _ options: [String] = []) async throws -> Launcher.Outcome {
                let rows = subjects.map { "\($0),\(image)\n" }.joined()
                try small.workspace.write("subject,flair\n" + rows, to: "data/names.csv")
                return try await small.launcher().run(
                    ["segment", "--checkpoint", "run", "--list", "data/names.csv", "--output", "out"]
                        + options)
            }
            expectRefusal(
                try await segment(["a", "a_probabilities_1"], ["--probabilities"]),
                mentions: ["of a ", "of a_probabilities_1", "out/a_probabilities_1.nii.gz"])
            expectRefusal(try await segment(["a", "../../evil"]), mentions: ["Line 3", "\"evil\""])
            #expect(!small.workspace.exists("out"))
            let cases = try await segment(["b", "B"])
            #expect(
                cases.exitCode == 0 && cases.standardError.contains("warning: the subjects b, B"), "\(cases)")
            for (options, mention) in [
                (["--image", "flair=data/\(image)", "--subject", "../evil"], "--subject is \"../evil\""),
                (["--image", "flair=data/.nii.gz"], "--subject"),
            ] {
                expectRefusal(
                    try await small.launcher().run(checkpoint(small) + options + ["--output", "out"]),
                    mentions: [mention])
            }
        }

        @Test("evaluate --output keeps the list, the predictions and other files, and replaces scores")
        func evaluate() async throws {
            let small = try await SmallRun()
            try small.workspace.write(
                "subject,lesion\nphantom-001,phantom-001/lesion.nii.gz\n", to: "data/one.csv")
            try FileManager.default.createDirectory(
                atPath: small.workspace.path("out"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: small.workspace.path("data/phantom-001/lesion.nii.gz"),
                toPath: small.workspace.path("out/phantom-001.nii.gz"))
            try small.workspace.write("a,b\n", to: "table.csv")
            let command = ["evaluate", "--prediction", "out", "--list", "data/one.csv", "--output"]
            for (path, mention) in [
                ("data/../data/one.csv", "one.csv, which this command reads"),
                ("out/phantom-001.nii.gz", "reads"),
                ("data/phantom-001/lesion.nii.gz", "reads"), ("table.csv", "did not make"),
                ("/dev/null", "no regular file"),
            ] {
                let name = path.hasPrefix("/") ? nil : path
                let before = try name.map { try data(small, $0) }
                expectRefusal(
                    try await small.launcher().run(command + [path]),
                    mentions: [(path as NSString).lastPathComponent, mention])
                #expect(try name.map { try data(small, $0) } == before)
            }
            for _ in 1...2 {
                let outcome = try await small.launcher().run(command + ["scores.csv"])
                #expect(outcome.exitCode == 0, "\(outcome)")
            }
        }

        @Test("train keeps the configuration, the list and folders that are no run's")
        func train() async throws {
            let small = try await SmallRun(steps: 1)
            let before = (try small.workspace.read("run.yaml"), try small.workspace.read("data/subjects.csv"))
            for timeline in ["run.yaml", "data/subjects.csv", "data/phantom-001/flair.nii.gz"] {
                expectRefusal(
                    try await small.train(options: ["--timeline", timeline]),
                    mentions: [timeline, "reads", "--timeline"])
            }
            try small.workspace.write("mine\n", to: "notes.json")
            expectRefusal(
                try await small.train(options: ["--timeline", "notes.json"]), mentions: ["did not make"])
            expectRefusal(
                try await small.train(options: ["--timeline", "run/metrics.csv"]),
                mentions: ["run/metrics.csv", "both"])
            #expect(!small.workspace.exists("run"))
            expectRefusal(
                try await small.train(ranks: 2, output: "data"),
                mentions: ["data", "config.yaml", "--output"])
            #expect(!small.workspace.exists("data/log.txt"))
            #expect(try small.workspace.read("run.yaml") == before.0)
            #expect(try small.workspace.read("data/subjects.csv") == before.1)
            // A run goes on, from its own configuration too, and draws its timeline again.
            for _ in 1...2 {
                let outcome = try await small.train(options: ["--timeline", "trace.json"])
                #expect(outcome.exitCode == 0, "\(outcome)")
            }
            let again = try await small.launcher().run(
                ["train", "run/config.yaml", "--output", "run", "--set", "steps=2", "--quiet"])
            #expect(again.exitCode == 0, "\(again)")
        }

        @Test("report and sweep keep the files of runs and other folders' pages")
        func report() async throws {
            let small = try await SmallRun(steps: 1, changes: ["data": Self.heldOut])
            let trained = try await small.train()
            try #require(trained.exitCode == 0, "\(trained)")
            let scores = try small.workspace.read("run/held_out.csv")
            let command = ["report", "run", "--output"]
            expectRefusal(
                try await small.launcher().run(command + ["run"]),
                mentions: ["A report is written into", "run holds checkpoints"])
            #expect(try small.workspace.read("run/held_out.csv") == scores)
            try FileManager.default.createDirectory(
                atPath: small.workspace.path("sweep/report"), withIntermediateDirectories: true)
            try small.workspace.write("<html>", to: "sweep/report/index.html")
            expectRefusal(
                try await small.launcher().run(command + ["sweep/report"]),
                mentions: ["sweep/report holds index.html"])
            let sweep = """
                run: {steps: 1, data: \(Self.heldOut)}
                networks: {highres3dnet: {patches: [{size: 41, batch: 1}]}}
                learning_rates: [1.0e-3]
                losses: [gdl]

                """
            try small.workspace.write(sweep, to: "sweep.yaml")
            let sweeping = ["sweep", "sweep.yaml", "--output", "sweep"]
            expectRefusal(
                try await small.launcher().run(sweeping), mentions: ["sweep/report holds index.html"])
            try FileManager.default.removeItem(atPath: small.workspace.path("sweep/report/index.html"))
            let cell = "sweep/runs/highres3dnet-p41-b1-lr1e-3-gdl"
            try FileManager.default.createDirectory(
                atPath: small.workspace.path(cell), withIntermediateDirectories: true)
            try small.workspace.write("mine", to: cell + "/config.yaml")
            expectRefusal(
                try await small.launcher().run(sweeping),
                mentions: ["A sweep is written into", "sweep holds"])
            #expect(try small.workspace.read(cell + "/config.yaml") == "mine")
            for _ in 1...2 {
                let outcome = try await small.launcher().run(command + ["report"])
                #expect(outcome.exitCode == 0, "\(outcome)")
            }
        }

        @Test("bench and phantom keep what is there")
        func others() async throws {
            let small = try await SmallRun()
            let before = try small.workspace.read("run.yaml")
            let bench = ["bench", "scaling", "run.yaml", "--csv"]
            for (path, mention) in [("run.yaml", "reads"), ("data/config.yaml", "did not make")] {
                expectRefusal(
                    try await small.launcher().run(bench + [path]), mentions: [path, mention, "--csv"])
            }
            expectRefusal(
                try await small.launcher().run(["phantom", "run.yaml"]),
                mentions: ["run.yaml, which is a file"])
            #expect(try small.workspace.read("run.yaml") == before)
        }
    }
}
