import Configuration
import Foundation
import Sampling
import Testing

extension RankTests {
    @Suite("From phantoms to scores")
    struct EndToEnd {
        /// Tilts and shifts the grid of all of a subject's files, as an oblique scan has it.
        private func tilt(_ subject: String, in small: SmallRun) throws -> VolumeGeometry {
            let folder = small.workspace.path("data/\(subject)") + "/"
            var grid = try Volume(reading: folder + "flair.nii.gz").geometry
            grid.qformCode = 0
            grid.sformCode = 3
            grid.sform.rows[0] = SIMD4(0, -3.9, 0.4, 80)
            grid.sform.rows[1] = SIMD4(4.1, 0, 0, -91.5)
            grid.sform.rows[2] = SIMD4(0, 0.4, 3.9, -60)
            for name in ["flair", "t1", "t2"] {
                let volume = try Volume(reading: folder + name + ".nii.gz")
                try Volume(geometry: grid, voxels: volume.voxels).write(to: folder + name + ".nii.gz")
            }
            for name in ["lesion", "wm"] {
                let map = try LabelMap(reading: folder + name + ".nii.gz", classes: 2)
                try LabelMap(geometry: grid, labels: map.labels).write(to: folder + name + ".nii.gz")
            }
            return grid
        }

        @Test(
            "Segmentations keep the input's geometry, ranks share the subjects, and scores are those of the files"
        )
        func whole() async throws {
            let small = try await SmallRun(steps: 5)
            let grid = try tilt("phantom-001", in: small)
            let trained = try await small.train(ranks: 2)
            try #require(trained.exitCode == 0, "\(trained)")

            for (output, ranks) in [("alone", nil), ("shared", 2)] as [(String, Int?)] {
                let outcome = try await small.launcher(ranks: ranks).run(
                    [
                        "segment", "--checkpoint", "run", "--list", "data/subjects.csv", "--output", output,
                        "--quiet",
                        "--probabilities",
                    ])
                try #require(outcome.exitCode == 0, "\(outcome)")
                let printed = outcome.standardOutput.split(separator: "\n").map(String.init).sorted()
                #expect(printed == (1...4).map { "\(output)/phantom-00\($0).nii.gz" })
            }
            for index in 1...4 {
                let name = "phantom-00\(index)"
                let image = try Volume(reading: small.workspace.path("data/\(name)/flair.nii.gz"))
                let alone = try LabelMap(reading: small.workspace.path("alone/\(name).nii.gz"), classes: 2)
                let shared = try LabelMap(reading: small.workspace.path("shared/\(name).nii.gz"), classes: 2)
                #expect(alone.geometry == image.geometry)
                #expect(alone.labels == shared.labels)
                let maps = try (0..<2).map {
                    try Volume(reading: small.workspace.path("alone/\(name)_probabilities_\($0).nii.gz"))
                }
                #expect(maps[1].geometry == image.geometry)
                // Labels are the larger probability, and the two add up to 1.
                #expect(
                    zip(zip(maps[0].voxels, maps[1].voxels), alone.labels).allSatisfy {
                        ($0.1 > $0.0 ? 1 : 0) == $1
                    })
                #expect(zip(maps[0].voxels, maps[1].voxels).allSatisfy { abs($0 + $1 - 1) < 1e-5 })
            }
            let tilted = try LabelMap(reading: small.workspace.path("alone/phantom-001.nii.gz"), classes: 2)
            // NIfTI-1 keeps an affine in float32.
            for (found, expected) in zip(tilted.geometry.sform.rows, grid.sform.rows) {
                for axis in 0..<4 { #expect(Float(found[axis]) == Float(expected[axis])) }
            }
            #expect(tilted.geometry.sformCode == 3)

            let scored = try await small.launcher().run(
                [
                    "evaluate", "--prediction", "alone", "--list", "data/subjects.csv", "--output",
                    "scores.csv",
                ])
            try #require(scored.exitCode == 0, "\(scored)")
            #expect(scored.standardOutput.contains("median (IQR)"))
            let rows = try small.workspace.read("scores.csv").split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false)
            }
            #expect(
                rows.map { $0[0] } == [
                    "subject", "phantom-001", "phantom-002", "phantom-003", "phantom-004",
                ])
            let summary = try small.workspace.read("scores_summary.csv").split(separator: "\n")
            #expect(summary[0] == "statistic" + rows[0].joined(separator: ",").dropFirst("subject".count))
            #expect(
                summary.dropFirst().map { $0.prefix { $0 != "," } } == [
                    "median", "lower_quartile", "upper_quartile",
                ])
            let reference = try LabelMap(
                reading: small.workspace.path("data/phantom-001/lesion.nii.gz"), classes: 2)
            let both = zip(reference.labels, tilted.labels).count { $0 == 1 && $1 == 1 }
            let sum = reference.labels.count { $0 == 1 } + tilted.labels.count { $0 == 1 }
            #expect(Double(rows[1][2]) == (sum == 0 ? 1 : 2 * Double(both) / Double(sum)))
        }

        @Test("A single subject by its images gives what the list gives")
        func single() async throws {
            let small = try await SmallRun(steps: 5)
            let trained = try await small.train()
            try #require(trained.exitCode == 0, "\(trained)")
            let folder = "data/phantom-001"
            let one = try await small.launcher().run(
                [
                    "segment", "--checkpoint", small.checkpoint(5), "--image", "t1=\(folder)/t1.nii.gz",
                    "--image", "flair=\(folder)/flair.nii.gz", "--mask", "\(folder)/wm.nii.gz", "--subject",
                    "one",
                    "--output", "out",
                ])
            try #require(one.exitCode == 0, "\(one)")
            let list = try small.workspace.read("data/subjects.csv").split(separator: "\n").prefix(2)
            try small.workspace.write(list.joined(separator: "\n"), to: "data/one.csv")
            let listed = try await small.launcher().run(
                ["segment", "--checkpoint", "run", "--list", "data/one.csv", "--output", "out"])
            try #require(listed.exitCode == 0, "\(listed)")
            let first = try LabelMap(reading: small.workspace.path("out/one.nii.gz"), classes: 2)
            let second = try LabelMap(reading: small.workspace.path("out/phantom-001.nii.gz"), classes: 2)
            #expect(first.labels == second.labels)

            let incomplete = try await small.launcher().run(
                ["segment", "--checkpoint", "run", "--image", "t1=\(folder)/t1.nii.gz", "--output", "out"])
            expectRefusal(incomplete, mentions: ["--image", "t1", "flair"])
            let unmasked = try await small.launcher().run(
                [
                    "segment", "--checkpoint", "run", "--image", "t1=\(folder)/t1.nii.gz", "--image",
                    "flair=\(folder)/flair.nii.gz", "--output", "out",
                ])
            expectRefusal(unmasked, mentions: ["--mask", "wm"])
        }

        @Test("Held-out subjects are those that the configuration keeps from training")
        func heldOut() async throws {
            let data =
                "{list: data/subjects.csv, modalities: [flair, t1], reference: lesion, mask: wm, held_out: 0.25}"
            let small = try await SmallRun(steps: 2, changes: ["data": data])
            let trained = try await small.train()
            try #require(trained.exitCode == 0, "\(trained)")
            let outcome = try await small.launcher().run(
                ["segment", "--checkpoint", "run", "--held-out", "--output", "out", "--quiet"])
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(outcome.standardOutput.split(separator: "\n").count == 1)
            let scored = try await small.launcher().run(
                ["evaluate", "--prediction", "out", "--config", "run/config.yaml", "--held-out"])
            #expect(scored.exitCode == 0, "\(scored)")
            #expect(scored.standardOutput.split(separator: "\n").count == 3)
        }

        @Test("A subject without a prediction is an error unless it is left out")
        func missingPrediction() async throws {
            let small = try await SmallRun()
            try FileManager.default.createDirectory(
                atPath: small.workspace.path("out"), withIntermediateDirectories: true)
            let arguments = ["evaluate", "--prediction", "out", "--list", "data/subjects.csv"]
            expectRefusal(try await small.launcher().run(arguments), mentions: ["out/phantom-001.nii.gz"])
            try FileManager.default.copyItem(
                atPath: small.workspace.path("data/phantom-002/lesion.nii.gz"),
                toPath: small.workspace.path("out/phantom-002.nii.gz"))
            expectRefusal(
                try await small.launcher().run(arguments),
                mentions: ["phantom-001 and 2 others", "--skip-missing"])
            let outcome = try await small.launcher().run(arguments + ["--skip-missing"])
            #expect(outcome.exitCode == 0)
            #expect(outcome.standardOutput.contains("1.0000"))
            #expect(outcome.standardError.contains("phantom-001 and 2 others"))
        }

        @Test("phantom fills only a new or empty folder, and gives the same files again")
        func phantom() async throws {
            let small = try await SmallRun()
            let launcher = small.launcher()
            expectRefusal(try await launcher.run(["phantom", "data"]), mentions: ["data", "not empty"])
            let again = try await launcher.run(
                ["phantom", "again"] + SmallRun.phantomArguments)
            #expect(again.exitCode == 0, "\(again)")
            for name in ["subjects.csv", "config.yaml", "phantom-003/flair.nii.gz"] {
                let first = try Data(contentsOf: URL(fileURLWithPath: small.workspace.path("data/" + name)))
                let second = try Data(contentsOf: URL(fileURLWithPath: small.workspace.path("again/" + name)))
                #expect(first == second, "\(name)")
            }
            _ = try RunConfiguration(contentsOf: small.workspace.path("data/config.yaml"))
        }
    }

    @Suite("Doctor")
    struct Doctor {
        @Test("Names the libraries and starts ranks")
        func works() async throws {
            let workspace = try Workspace()
            let outcome = try await Launcher(folder: workspace.folder).run(["doctor"])
            #expect(outcome.exitCode == 0, "\(outcome)")
            for word in ["oneDNN", "cores", "memory", "MPI", "2 ranks on"] {
                #expect(outcome.standardOutput.contains(word), "\(word) in \(outcome)")
            }
        }

        @Test("Without MPI it still runs, and says what is missing")
        func withoutMPI() async throws {
            let workspace = try Workspace()
            let launcher = Launcher(
                folder: workspace.folder,
                environment: ["DICERANK_MPI_LIBRARY": "libnothing.so", "PATH": "/nowhere"])
            let outcome = try await launcher.run(["doctor"])
            expectRefusal(outcome, mentions: ["mpirun"])
            #expect(outcome.standardOutput.contains("libnothing.so"))
            let help = try await launcher.run(["--help"])
            #expect(help.exitCode == 0)
        }
    }
}
