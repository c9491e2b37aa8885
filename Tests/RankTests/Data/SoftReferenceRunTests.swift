import Foundation
import RunFiles
import Sampling
import Testing

extension RankTests {
    @Suite("References of probabilities")
    struct SoftReference {
        static let data =
            "{list: data/subjects.csv, modalities: [flair, t1], reference: lesion, mask: wm, held_out: 0.25, "
            + "reference_kind: probabilities}"

        /// Replaces every lesion by the mean over each voxel and its neighbours along x, times `factor`.
        private func soften(_ small: SmallRun, factor: Float = 1) throws {
            for subject in 1...4 {
                let path = small.workspace.path("data/phantom-00\(subject)/lesion.nii.gz")
                let lesion = try Volume(reading: path)
                var soft = lesion
                for voxel in 1..<lesion.voxels.count - 1 {
                    soft.voxels[voxel] = factor * lesion.voxels[voxel - 1...voxel + 1].reduce(0, +) / 3
                }
                try soft.write(to: path)
            }
        }

        @Test("Labels stored as probabilities train to the same bits")
        func zerosAndOnes() async throws {
            let small = try await SmallRun(steps: 3, changes: ["data": Self.data])
            for (output, kind) in [("soft", "probabilities"), ("hard", "labels")] {
                let outcome = try await small.train(
                    output: output, options: ["--set", "data.reference_kind=\(kind)"])
                try #require(outcome.exitCode == 0, "\(outcome)")
            }
            let soft = try Checkpoint(contentsOf: small.checkpoint(3, output: "soft"))
            let hard = try Checkpoint(contentsOf: small.checkpoint(3, output: "hard"))
            #expect(soft.tensors == hard.tensors)
            #expect(try small.metric("dsc", output: "soft") == small.metric("dsc", output: "hard"))
        }

        @Test("Soft edges follow one curve on 1 and 2 ranks, and are scored as evaluate scores them")
        func softEdges() async throws {
            let small = try await SmallRun(
                steps: 4, changes: ["data": Self.data, "optimizer": "{name: sgd, learning_rate: 0.002}"])
            let before = try await small.train(output: "before")
            try #require(before.exitCode == 0, "\(before)")
            try soften(small)
            for ranks in [1, 2] {
                let outcome = try await small.train(ranks: ranks, output: "run\(ranks)")
                try #require(outcome.exitCode == 0, "\(outcome)")
            }
            let (alone, shared) = (
                try small.metric("loss", output: "run1"), try small.metric("loss", output: "run2")
            )
            #expect(zip(alone, shared).allSatisfy { abs($0 - $1) < 1e-4 })
            #expect(try small.metric("loss", output: "before") != alone)

            for arguments in [
                ["segment", "--checkpoint", "run1", "--held-out", "--output", "out"],
                [
                    "evaluate", "--prediction", "out", "--config", "run1/config.yaml", "--held-out",
                    "--output",
                    "scores.csv",
                ],
            ] {
                let outcome = try await small.launcher().run(arguments + ["--quiet"])
                try #require(outcome.exitCode == 0, "\(outcome)")
            }
            let expected = try small.workspace.read("scores.csv").split(separator: "\n")[1]
            #expect(
                try small.workspace.read("run1/held_out.csv").split(separator: "\n")[1] == "4," + expected)
        }

        @Test(
            "Soft references where labels are expected, and labels merged where probabilities are, are refused"
        )
        func refusals() async throws {
            let small = try await SmallRun(changes: ["data": Self.data])
            try soften(small)
            let hard = try await small.train(ranks: 2, options: ["--set", "data.reference_kind=labels"])
            expectRefusal(hard, mentions: ["lesion.nii.gz", "labels are integers"])
            let merged = try await small.train(options: ["--set", "data.merge_labels={1: [1, 2]}"])
            expectRefusal(merged, mentions: ["data.merge_labels", "data.reference_kind is probabilities"])
            try soften(small, factor: 10)
            expectRefusal(
                try await small.train(ranks: 2), mentions: ["lesion.nii.gz", "probabilities are 0 to 1"])
        }
    }
}
