import Foundation
import Geometry
import RunFiles
import Sampling
import Testing

extension RankTests {
    /// Phantoms are stored as axial slices. Two of them are stored anew, as coronal slices of the same head.
    @Suite("Slices follow the anatomy, not the file")
    struct Slices {
        /// [z][y][x] to [y][z][x], the axes of the transform with it.
        private func storeCoronally(_ subject: String, in small: SmallRun) throws {
            for name in ["flair", "t1", "t2", "lesion", "wm"] {
                let path = small.workspace.path("data/\(subject)/\(name).nii.gz")
                let volume = try Volume(reading: path)
                var grid = volume.geometry
                let extent = grid.extent
                grid.extent = Size3(extent.height, extent.depth, extent.width)
                grid.qformCode = 0
                grid.sformCode = 1
                grid.sform.rows = grid.affine.rows.map { SIMD4($0.x, $0.z, $0.y, $0.w) }
                let voxels = AxisOrder(front: 1).reordered(volume.voxels, stored: extent)
                try Volume(geometry: grid, voxels: voxels).write(to: path)
            }
        }

        /// Leaves the lowest slices: the grid is no cube then.
        private func crop(_ subject: String, slices: Int, in small: SmallRun) throws {
            for name in ["flair", "t1", "t2", "lesion", "wm"] {
                let path = small.workspace.path("data/\(subject)/\(name).nii.gz")
                let volume = try Volume(reading: path)
                var grid = volume.geometry
                grid.extent.depth = slices
                try Volume(geometry: grid, voxels: Array(volume.voxels.prefix(grid.extent.count))).write(
                    to: path)
            }
        }

        @Test(
            "A subject that is stored otherwise trains to the same bits and is segmented alike, on its own grid"
        )
        func storageDoesNotMatter() async throws {
            let small = try await SmallRun(steps: 4)
            let segment = [
                "segment", "--checkpoint", "plain", "--list", "data/subjects.csv", "--quiet", "--output",
            ]
            try crop("phantom-001", slices: 17, in: small)
            let plain = try await small.train(output: "plain")
            try #require(plain.exitCode == 0, "\(plain)")
            let first = try await small.launcher().run(segment + ["before", "--probabilities"])
            try #require(first.exitCode == 0, "\(first)")
            let victims = ["phantom-001", "phantom-003"]
            for subject in victims { try storeCoronally(subject, in: small) }
            for ranks in [1, 2] {
                let outcome = try await small.train(ranks: ranks, output: "other\(ranks)")
                try #require(outcome.exitCode == 0, "\(outcome)")
                let imbalance = try small.metric("imbalance", output: "other\(ranks)")
                #expect(try small.metric("imbalance", output: "plain") == imbalance)
            }
            let expected = try Checkpoint(contentsOf: small.checkpoint(4, output: "plain"))
            let found = try Checkpoint(contentsOf: small.checkpoint(4, output: "other1"))
            #expect(found.tensors == expected.tensors)

            let second = try await small.launcher().run(segment + ["after", "--probabilities"])
            try #require(second.exitCode == 0, "\(second)")
            for subject in victims {
                let image = try Volume(reading: small.workspace.path("data/\(subject)/flair.nii.gz"))
                for name in [subject, subject + "_probabilities_1"] {
                    let before = try Volume(reading: small.workspace.path("before/\(name).nii.gz"))
                    let after = try Volume(reading: small.workspace.path("after/\(name).nii.gz"))
                    #expect(after.geometry == image.geometry)
                    #expect(after.geometry.orientation == "RSA" && before.geometry.orientation == "RAS")
                    let restored = AxisOrder(front: 1).restored(after.voxels, stored: before.geometry.extent)
                    #expect(restored == before.voxels)
                }
            }

            let inspected = try await small.launcher().run(["inspect", "run.yaml", "--draws", "5"])
            #expect(
                inspected.standardOutput.contains("24 x 17 x 24 voxels of 8 x 8 x 8 mm, RSA, 17 axial slices")
            )
        }

        @Test("As stored, and across another plane, patches differ; 3D patches do not know slices")
        func planes() async throws {
            let small = try await SmallRun(steps: 2)
            for plane in ["axial", "coronal", "stored"] {
                let outcome = try await small.train(
                    output: plane, options: ["--set", "patch.slices=\(plane)"])
                try #require(outcome.exitCode == 0, "\(outcome)")
            }
            #expect(try small.metric("loss", output: "stored") == small.metric("loss", output: "axial"))
            #expect(try small.metric("loss", output: "coronal") != small.metric("loss", output: "axial"))
            let resumed = try await small.train(output: "axial", options: ["--set", "patch.slices=coronal"])
            expectRefusal(resumed, mentions: ["patch.slices"])
            let inspected = try await small.launcher().run(
                [
                    "inspect", "run.yaml", "--draws", "5", "--set", "patch.slices=coronal", "--set",
                    "patch.size=37",
                ])
            #expect(inspected.exitCode == 0, "\(inspected)")
            #expect(
                inspected.standardError.contains(
                    "warning: patch.slices is coronal and has no effect: patches of 37x37x37 voxels are no slices."
                ))
        }
    }
}
