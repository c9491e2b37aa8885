import Foundation
import RunFiles
import Sampling
import Testing

extension RankTests {
    @Suite("distributed.wire: bfloat16")
    struct Wire {
        static let tolerance = 0.005

        /// The largest difference of two curves, relative.
        private func difference(_ found: [Double], _ expected: [Double]) -> Double {
            zip(found, expected).map { abs($0 - $1) / abs($1) }.max() ?? .infinity
        }

        private func run(_ small: SmallRun, ranks: Int, wire: String) async throws {
            let outcome = try await small.train(
                ranks: ranks, output: wire, options: ["--set", "distributed.wire=\(wire)"])
            try #require(outcome.exitCode == 0, "\(outcome)")
        }

        /// Each gradient is off by 1/127 of the ranks' absolute values at the most, which the next ones make
        /// good. What training makes of that grows from step to step, as it does of the rounding of float32.
        @Test("Two ranks follow the curve of float32 to 0.5 %")
        func nearFloat32() async throws {
            let small = try await SmallRun(
                steps: 10, changes: ["optimizer": "{name: sgd, learning_rate: 0.002}"])
            for wire in ["float32", "bfloat16"] { try await run(small, ranks: 2, wire: wire) }
            let expected = try small.metric("loss", output: "float32")
            let found = try small.metric("loss", output: "bfloat16")
            #expect(found.count == 10 && found != expected)
            #expect((expected.max() ?? 0) - (expected.min() ?? 0) > 0.05)
            #expect(difference(found, expected) < Self.tolerance, "\(found), float32: \(expected)")
            let said = "Gradients go over the wire as bfloat16"
            #expect(try small.workspace.read("bfloat16/log.txt").contains(said))
            #expect(try !small.workspace.read("float32/log.txt").contains(said))
        }

        @Test("Steps that are skipped leave nothing behind")
        func afterSkippedSteps() async throws {
            let data = "list: data/subjects.csv, modalities: [flair, t1], reference: lesion, mask: wm"
            let small = try await SmallRun(
                steps: 10,
                changes: [
                    "data": "{\(data), normalise: none}",
                    "optimizer": "{name: sgd, learning_rate: 0.002, non_finite: skip}",
                ])
            // Finite, but not what a convolution makes of it.
            let path = small.workspace.path("data/phantom-002/flair.nii.gz")
            var volume = try Volume(reading: path)
            volume.voxels = volume.voxels.map { _ in 3e38 }
            try volume.write(to: path)
            for wire in ["float32", "bfloat16"] { try await run(small, ranks: 2, wire: wire) }
            let expected = try small.metric("loss", output: "float32")
            let found = try small.metric("loss", output: "bfloat16")
            let skipped = try ["float32", "bfloat16"].map { wire in
                try small.workspace.read(wire + "/log.txt").split(separator: "\n")
                    .filter { $0.contains("The step is skipped") }
                    .map { try #require($0.firstMatch(of: /At step (\d+)/)).1 }
            }
            #expect(skipped[0] == skipped[1] && (1...8).contains(skipped[0].count), "\(skipped)")
            #expect(difference(found, expected) < Self.tolerance, "\(found), float32: \(expected)")
        }

        @Test("One rank sends nothing and rounds nothing")
        func alone() async throws {
            let small = try await SmallRun(steps: 3)
            for wire in ["float32", "bfloat16"] { try await run(small, ranks: 1, wire: wire) }
            let tensors = try ["float32", "bfloat16"].map {
                try Checkpoint(contentsOf: small.checkpoint(3, output: $0)).tensors
            }
            #expect(tensors[0] == tensors[1])
            #expect(try !small.workspace.read("bfloat16/log.txt").contains("over the wire"))
        }
    }
}
