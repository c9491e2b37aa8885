import Foundation
import RunFiles
import Sampling
import Testing

extension RankTests {
    /// Phantoms are stored as RAS with voxels of 8 mm.
    @Suite("Orientation, size and labels of the files are said")
    struct OrientationRuns {
        private func restore(
            _ subject: String, in small: SmallRun, files: [String] = ["flair", "t1", "t2", "lesion", "wm"],
            _ change: (inout VolumeGeometry, inout [Float]) -> Void
        ) throws {
            for name in files {
                let path = small.workspace.path("data/\(subject)/\(name).nii.gz")
                let volume = try Volume(reading: path)
                var (geometry, voxels) = (volume.geometry, volume.voxels)
                geometry.qformCode = 0
                geometry.sformCode = 1
                change(&geometry, &voxels)
                try Volume(geometry: geometry, voxels: voxels).write(to: path)
            }
        }

        /// x runs to the left. What is in the voxels does not matter here.
        private static func flip(_ geometry: inout VolumeGeometry) {
            for row in 0..<3 { geometry.sform.rows[row].x *= -1 }
        }

        @Test("train, segment and sweep warn once, on any number of ranks, and inspect shows each subject")
        func warnings() async throws {
            let small = try await SmallRun(steps: 2)
            let plain = try await small.train(output: "plain")
            try #require(plain.exitCode == 0 && !plain.standardError.contains("oriented"), "\(plain)")
            try restore("phantom-003", in: small) { geometry, _ in Self.flip(&geometry) }
            let sentence =
                "warning: 1 of 4 subjects has slices oriented LA and not RA as the others: phantom-003;"
            for ranks in [1, 2] {
                let outcome = try await small.train(ranks: ranks, output: "other\(ranks)")
                try #require(outcome.exitCode == 0, "\(outcome)")
                #expect(outcome.standardError.components(separatedBy: sentence).count == 2, "\(outcome)")
            }
            let segmented = try await small.launcher(ranks: 2).run(
                ["segment", "--checkpoint", "plain", "--list", "data/subjects.csv", "--output", "out"])
            try #require(segmented.exitCode == 0, "\(segmented)")
            let against =
                "warning: 1 of 4 subjects has slices oriented LA and not RA as in the training: phantom-003;"
            #expect(segmented.standardError.components(separatedBy: against).count == 2, "\(segmented)")

            var older = try Checkpoint(contentsOf: small.checkpoint(2, output: "plain"))
            older.grids = nil
            try older.write(to: small.workspace.path("older"))
            let unknown = try await small.launcher().run(
                ["segment", "--checkpoint", "older", "--list", "data/subjects.csv", "--output", "old"])
            #expect(
                unknown.standardError.contains(
                    "warning: older does not tell the orientation and spacing of its training,"), "\(unknown)"
            )
            #expect(unknown.standardError.contains(sentence), "\(unknown)")

            let inspected = try await small.launcher().run(["inspect", "run.yaml", "--draws", "5"])
            #expect(
                inspected.standardOutput.contains("phantom-002: 24 x 24 x 24 voxels of 8 x 8 x 8 mm, RAS, "))
            #expect(
                inspected.standardOutput.contains("phantom-003: 24 x 24 x 24 voxels of 8 x 8 x 8 mm, LAS, "))
            #expect(inspected.standardError.contains(sentence), "\(inspected)")

            try small.workspace.write(
                """
                run:
                  steps: 1
                  data: {list: data/subjects.csv, modalities: [flair, t1], reference: lesion, mask: wm}
                  threads: 1
                  convolution: winograd
                networks: {highres3dnet: {patches: [{size: [1, 41, 41], batch: 2}], set: {network.widths: [1, 1, 1]}}}
                learning_rates: [1.0e-3]
                losses: [gdl, wce]
                """, to: "sweep.yaml")
            let swept = try await small.launcher().run(["sweep", "sweep.yaml", "--output", "sweep"])
            #expect(swept.exitCode == 0, "\(swept)")
            #expect(swept.standardError.components(separatedBy: sentence).count == 2, "\(swept)")
        }

        /// Voxels of 8 mm in microns; twice as wide as pixdim says; sheared.
        @Test("Volumes go by the transform in millimetres, and a pixdim that contradicts it is named")
        func volumes() async throws {
            let small = try await SmallRun()
            try restore("phantom-001", in: small) { geometry, _ in
                geometry.units = 3
                geometry.spacing *= 1000
                for row in 0..<3 { geometry.sform.rows[row] *= 1000 }
            }
            try restore("phantom-002", in: small) { geometry, _ in
                for row in 0..<3 { geometry.sform.rows[row].x *= 2 }
            }
            try restore("phantom-004", in: small) { geometry, _ in
                geometry.sform.rows[0].y = 6.4
                geometry.sform.rows[1].y = 4.8
            }
            let inspected = try await small.launcher().run(["inspect", "run.yaml", "--draws", "5"])
            try #require(inspected.exitCode == 0, "\(inspected)")
            // The largest lesion's voxels times the volume of one.
            for (subject, spacing, volume) in [
                ("phantom-001", "8 x 8 x 8", 512.0), ("phantom-002", "16 x 8 x 8", 1024.0),
                ("phantom-003", "8 x 8 x 8", 512.0), ("phantom-004", "8 x 8 x 8", 307.2),
            ] {
                let line = try #require(
                    inspected.standardOutput.split(separator: "\n").first { $0.hasPrefix(subject + ":") })
                #expect(line.contains("voxels of \(spacing) mm"), "\(line)")
                let match = try #require(line.firstMatch(of: /largest ([0-9]+) \(([0-9.]+) ml\)/), "\(line)")
                let voxels = try #require(Double(match.1))
                #expect(String(match.2) == String(format: "%.2f", voxels * volume / 1000), "\(line)")
            }
            let contradicted =
                "warning: 1 of 4 subjects has a pixdim that contradicts the transform: phantom-002 (voxels of 16 x 8 x 8 mm "
                + "by its transform, 8 x 8 x 8 mm by pixdim); volumes go by the transform."
            #expect(inspected.standardError.contains(contradicted), "\(inspected)")

            try FileManager.default.createDirectory(
                atPath: small.workspace.path("same"), withIntermediateDirectories: true)
            for index in 1...4 {
                try FileManager.default.copyItem(
                    atPath: small.workspace.path("data/phantom-00\(index)/lesion.nii.gz"),
                    toPath: small.workspace.path("same/phantom-00\(index).nii.gz"))
            }
            let evaluated = try await small.launcher().run(
                ["evaluate", "--prediction", "same", "--list", "data/subjects.csv"])
            #expect(evaluated.exitCode == 0 && evaluated.standardError.contains(contradicted), "\(evaluated)")
        }

        /// Lesions are labelled 37, and of one subject a voxel 1.
        @Test("Labels that are merged without being named are refused, and inspect says where all go")
        func labels() async throws {
            let small = try await SmallRun(
                changes: [
                    "data": "{list: data/subjects.csv, modalities: [flair, t1], reference: lesion, mask: wm, "
                        + "merge_labels: {1: [37, 38]}}"
                ])
            for index in 1...4 {
                try restore("phantom-00\(index)", in: small, files: ["lesion"]) { _, voxels in
                    for i in voxels.indices where voxels[i] == 1 { voxels[i] = 37 }
                    if index == 3 { voxels[5] = 1 }
                }
            }
            let inspected = try await small.launcher().run(["inspect", "run.yaml", "--draws", "5"])
            expectRefusal(
                inspected,
                mentions: [
                    "data/phantom-003/lesion.nii.gz holds the label 1 at (5, 0, 0)", "write {1: [1, 37, 38]}",
                ])
            #expect(
                inspected.standardOutput.contains(
                    "\n  1: 1 voxel in 1 subject, refused, since merge_labels makes 37 and 38 class 1"),
                "\(inspected)")
            expectRefusal(try await small.train(ranks: 2), mentions: ["holds the label 1 at (5, 0, 0)"])

            let others = ["--set", "data.merge_labels={1: [37, 38], 0: others}"]
            let merged = try await small.launcher().run(["inspect", "run.yaml", "--draws", "5"] + others)
            #expect(merged.exitCode == 0, "\(merged)")
            #expect(merged.standardOutput.contains("\n  1: 1 voxel in 1 subject, class 0\n"), "\(merged)")
            #expect(merged.standardOutput.contains(" in 4 subjects, class 1\n"), "\(merged)")

            // Predictions are classes, references are merged.
            let trained = try await small.train(output: "merged", options: others)
            try #require(trained.exitCode == 0, "\(trained)")
            #expect(
                try small.workspace.read("merged/config.yaml").contains(
                    "merge_labels: {0: others, 1: [37, 38]}"))
            for index in 1...4 {
                let reference = try LabelMap(
                    reading: small.workspace.path("data/phantom-00\(index)/lesion.nii.gz"), classes: 2,
                    merging: LabelMerging([1: [37]], others: 0))
                try FileManager.default.createDirectory(
                    atPath: small.workspace.path("same"), withIntermediateDirectories: true)
                try reference.write(to: small.workspace.path("same/phantom-00\(index).nii.gz"))
            }
            let evaluated = try await small.launcher().run(
                [
                    "evaluate", "--prediction", "same", "--config", "merged/config.yaml", "--output",
                    "scores.csv",
                ])
            try #require(evaluated.exitCode == 0, "\(evaluated)")
            let rows = try small.workspace.read("scores.csv").split(separator: "\n")
                .filter { $0.hasPrefix("phantom") }
            #expect(
                rows.count == 4 && rows.allSatisfy { $0.contains(",1,1") || $0.contains(",1.0") }, "\(rows)")
        }
    }
}
