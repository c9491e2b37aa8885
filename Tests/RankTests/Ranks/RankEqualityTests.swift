import Foundation
import RunFiles
import Testing

extension RankTests {
    @Suite("The number of ranks does not change the curve")
    struct Equality {
        /// Relative. Another number of ranks adds the same numbers in another order, which changes a gradient
        /// by some units of 1e-7; what training makes of that grows from step to step.
        static let tolerance = 1e-4

        @Test("1, 2 and 4 ranks, global batch norm", arguments: ["image", "batch"])
        func sameCurve(pooling: String) async throws {
            let small = try await SmallRun(
                steps: 6,
                changes: [
                    "batch": "4", "loss": "{name: gdl, pooling: \(pooling)}",
                    "optimizer": "{name: sgd, learning_rate: 0.002}",
                ])
            for ranks in [1, 2, 4] {
                let outcome = try await small.train(ranks: ranks, output: "run\(ranks)")
                try #require(outcome.exitCode == 0, "\(outcome)")
            }
            let expected = try small.metric("loss", output: "run1")
            try #require(expected.count == 6)
            // Steps see different patches, or equal curves would say little.
            #expect((expected.max() ?? 0) - (expected.min() ?? 0) > 100 * Self.tolerance)
            for ranks in [2, 4] {
                let found = try small.metric("loss", output: "run\(ranks)")
                let worst = zip(found, expected).map { abs($0 - $1) / abs($1) }.max() ?? 1
                #expect(found.count == 6)
                #expect(worst < Self.tolerance, "\(ranks) ranks: \(found), 1 rank: \(expected)")
                #expect(
                    try small.metric("imbalance", output: "run\(ranks)")
                        == small.metric("imbalance", output: "run1"))
            }
        }

        @Test("One rank under mpirun and none give the same bits")
        func soloIsOneRank() async throws {
            let small = try await SmallRun(steps: 3)
            for (output, ranks) in [("solo", nil), ("one", 1)] as [(String, Int?)] {
                let outcome = try await small.train(ranks: ranks, output: output)
                try #require(outcome.exitCode == 0, "\(outcome)")
            }
            let solo = try Checkpoint(contentsOf: small.checkpoint(3, output: "solo"))
            let one = try Checkpoint(contentsOf: small.checkpoint(3, output: "one"))
            #expect(solo.tensors == one.tensors)
        }
    }
}
