import Foundation
import Sampling
import Testing
import Training

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
                ("data/../data/one.csv", "one.csv, which this command reads"), ("out/phantom-001.nii.gz", "reads"),
                ("data/phantom-001/lesion.nii.gz", "reads"), ("table.csv", "did not make"),
                ("/dev/null", "no regular file"),
            ] {
                let name = path.hasPrefix("/") ? nil : path
                let before = try name.map { try data(small, $0) }
                expectRefusal(try await small.launcher().run(command + [path]), mentions: [(path as NSString).lastPathComponent, mention])
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
                try await small.launcher().run(command + ["run"]), mentions: ["run/held_out.csv", "reads"])
            #expect(try small.workspace.read("run/held_out.csv") == scores)
            try FileManager.default.createDirectory(
                atPath: small.workspace.path("sweep/report"), withIntermediateDirectories: true)
            try small.workspace.write("<html>", to: "sweep/report/index.html")
            expectRefusal(
                try await small.launcher().run(command + ["sweep/report"]),
                mentions: ["index.html", "did not make"])
            let sweep = """
                run: {steps: 1, data: \(Self.heldOut)}
                networks: {highres3dnet: {patches: [{size: 41, batch: 1}]}}
                learning_rates: [1.0e-3]
                losses: [gdl]

                """
            try small.workspace.write(sweep, to: "sweep.yaml")
            let sweeping = ["sweep", "sweep.yaml", "--output", "sweep"]
            expectRefusal(try await small.launcher().run(sweeping), mentions: ["sweep/report/index.html"])
            try FileManager.default.removeItem(atPath: small.workspace.path("sweep/report/index.html"))
            let cell = "sweep/runs/highres3dnet-p41-b1-lr1e-3-gdl"
            try FileManager.default.createDirectory(
                atPath: small.workspace.path(cell), withIntermediateDirectories: true)
            try small.workspace.write("mine", to: cell + "/config.yaml")
            expectRefusal(try await small.launcher().run(sweeping), mentions: [cell, "config.yaml"])
            #expect(try small.workspace.read(cell + "/config.yaml") == "mine")
            for _ in 1...2 {
                let outcome = try await small.launcher().run(command + ["report"])
                #expect(outcome.exitCode == 0, "\(outcome)")
            }
        }
    }

    @Suite("Segmentations that are there")
    struct ReadySegmentations {
        @Test("The same command computes what is missing, cut or of other images or another checkpoint")
        func again() async throws {
            let small = try await SmallRun(steps: 2, changes: ["checkpoint": "{every: 1, keep: 100}"])
            let trained = try await small.train()
            try #require(trained.exitCode == 0, "\(trained)")
            func segment(_ options: [String] = [], step: Int = 2, ranks: Int? = nil) async throws -> [String]
            {
                let outcome = try await small.launcher(ranks: ranks).run(
                    [
                        "segment", "--checkpoint", small.checkpoint(step), "--list", "data/subjects.csv",
                        "--output", "out",
                    ] + options)
                #expect(outcome.exitCode == 0, "\(outcome)")
                #expect(
                    outcome.standardOutput.split(separator: "\n").map(String.init).sorted()
                        == (1...4).map { "out/phantom-00\($0).nii.gz" })
                // The line of a volume that was computed.
                return outcome.standardError.split(separator: "\n").filter {
                    $0.contains("foreground voxels")
                }
                .map { String($0.prefix { $0 != ":" }) }.sorted()
            }
            let all = (1...4).map { "phantom-00\($0)" }
            #expect(try await segment() == all)
            #expect(try await segment().isEmpty)
            #expect(try await segment(ranks: 2).isEmpty)
            #expect(try await segment(["--overwrite"]) == all)

            let file = URL(fileURLWithPath: small.workspace.path("out/phantom-002.nii.gz"))
            let whole = try Data(contentsOf: file)
            try whole.dropLast(20).write(to: file)
            try FileManager.default.removeItem(atPath: small.workspace.path("out/phantom-003.nii.gz"))
            let image = small.workspace.path("data/phantom-004/t1.nii.gz")
            try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: image)
            // A file that is cut so far that its header cannot be read may be anyone's; this one says whose it is.
            #expect(try await segment(ranks: 2) == ["phantom-002", "phantom-003", "phantom-004"])
            #expect(try Data(contentsOf: file) == whole)
            #expect(try await segment(["--probabilities"]) == all)
            #expect(try await segment(["--probabilities"]).isEmpty)
            #expect(try await segment(step: 1) == all)
        }
    }

    @Suite("Subjects are opened before the first step")
    struct Preflight {
        private static let data =
            "{list: data/subjects.csv, modalities: [flair, t1], reference: lesion, mask: wm, held_out: 0.5}"

        private func heldOut(_ small: SmallRun) throws -> [SubjectFiles] {
            try TrainingTask(RunConfiguration(contentsOf: small.workspace.path("run.yaml"))).heldOut
        }

        private func write(_ labels: (inout [UInt8]) -> Void, to path: String) throws {
            var map = try LabelMap(reading: path, classes: 2)
            labels(&map.labels)
            try map.write(to: path)
        }

        @Test("A held-out subject that cannot be used ends the run before it has begun", arguments: [nil, 2])
        func heldOut(ranks: Int?) async throws {
            let small = try await SmallRun(changes: ["data": Self.data])
            let subjects = try heldOut(small)
            // 0/255 labels, seen in no header, and an image that is cut.
            let reference = try #require(subjects[0].reference)
            try write({ $0 = $0.map { $0 * 255 } }, to: reference)
            let image = subjects[1].images[1].path
            let bytes = try Data(contentsOf: URL(fileURLWithPath: image))
            try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: image))
            let outcome = try await small.train(ranks: ranks)
            expectRefusal(
                outcome,
                mentions: [
                    "Held-out subject \(subjects[0].subject)", reference, "255", "1 other subject",
                    subjects[1].subject,
                ])
            #expect(!small.workspace.exists("run/metrics.csv") && !small.workspace.exists("run/checkpoints"))
            // What is not scored need not be there.
            let unscored = try await small.train(
                ranks: ranks, options: ["--set", "evaluate.at_end=false", "--set", "steps=1"])
            #expect(unscored.exitCode == 0, "\(unscored)")
        }

        @Test("A sweep trains no cell where a held-out subject cannot be used")
        func sweep() async throws {
            let small = try await SmallRun(changes: ["data": Self.data])
            let path = try heldOut(small)[0].images[0].path
            try FileManager.default.removeItem(atPath: path)
            try small.workspace.write(
                """
                run: {steps: 1, threads: 1, data: \(Self.data)}
                networks: {unet: {patches: [{size: 56, batch: 2}]}}
                learning_rates: [1.0e-3]
                losses: [gdl, dl2]

                """, to: "sweep.yaml")
            for ranks in [nil, 2] {
                let outcome = try await small.launcher(ranks: ranks).run(
                    ["sweep", "sweep.yaml", "--output", "sweep", "--quiet"])
                expectRefusal(outcome, mentions: ["Held-out subject", path])
                #expect(!small.workspace.exists("sweep"))
            }
        }

        @Test("inspect reads held-out subjects and names them")
        func inspect() async throws {
            let small = try await SmallRun(changes: ["data": Self.data])
            let names = try heldOut(small).map(\.subject)
            let outcome = try await small.launcher().run(["inspect", "run.yaml", "--draws", "5"])
            #expect(outcome.exitCode == 0, "\(outcome)")
            let lines = outcome.standardOutput.split(separator: "\n").map(String.init)
            #expect(
                lines.filter { $0.hasSuffix("; held out") }.map { String($0.prefix { $0 != ":" }) } == names)
            #expect(lines.contains { $0.hasPrefix("4 subjects, 2 of them held out, ") }, "\(outcome)")
            let image = try heldOut(small)[1].images[0].path
            try FileManager.default.removeItem(atPath: image)
            expectRefusal(try await small.launcher().run(["inspect", "run.yaml"]), mentions: [image])
        }
    }

    @Suite("Data sets of links")
    struct Links {
        @Test("A data set whose files are links trains, and one that is not fetched is said to be")
        func dataLad() async throws {
            let small = try await SmallRun(steps: 1)
            let files = FileManager.default
            let folder = small.workspace.path("data/phantom-001")
            try files.createDirectory(atPath: folder + "/annex", withIntermediateDirectories: true)
            for name in ["flair", "t1", "lesion", "wm"] {
                try files.moveItem(
                    atPath: "\(folder)/\(name).nii.gz", toPath: "\(folder)/annex/\(name)-content.nii.gz")
                try files.createSymbolicLink(
                    atPath: "\(folder)/\(name).nii.gz", withDestinationPath: "annex/\(name)-content.nii.gz")
            }
            let outcome = try await small.train(ranks: 2)
            #expect(outcome.exitCode == 0, "\(outcome)")
            try files.removeItem(atPath: folder + "/annex/t1-content.nii.gz")
            expectRefusal(
                try await small.train(ranks: 2, output: "other"),
                mentions: ["phantom-001/t1.nii.gz is a link to annex/t1-content.nii.gz", "datalad get"])
            try files.createSymbolicLink(
                atPath: small.workspace.path("link.yaml"), withDestinationPath: "none.yaml")
            expectRefusal(
                try await small.launcher().run(["train", "link.yaml"]),
                mentions: ["link.yaml", "is a link to none.yaml"])
            try files.createSymbolicLink(
                atPath: small.workspace.path("link.safetensors"), withDestinationPath: "none")
            expectRefusal(
                try await small.launcher().run(
                    ["segment", "--checkpoint", "link.safetensors", "--held-out", "--output", "out"]),
                mentions: ["link.safetensors is a link to none"])
        }
    }
}
