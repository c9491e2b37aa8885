import Foundation
import RunFiles
import Testing

extension RankTests {
    @Suite("distributed.reduction: deterministic")
    struct Determinism {
        /// Batch norm over all slots, pooling over the batch, dropout: everything that could depend on who
        /// computes.
        private func run(_ changes: [String: String] = [:]) async throws -> SmallRun {
            try await SmallRun(
                steps: 6,
                changes: [
                    "batch": "4", "distributed": "{reduction: deterministic}",
                    "loss": "{name: gdl, pooling: batch, add: {wce: 0.5}}", "convolution": "auto",
                    "checkpoint": "{every: 2, keep: 100}",
                ].merging(changes) { $1 })
        }

        private func tensors(_ small: SmallRun, _ step: Int, _ output: String) throws -> [SafetensorsFile
            .Tensor]
        {
            try Checkpoint(contentsOf: small.checkpoint(step, output: output)).tensors
        }

        @Test(
            "1, 2 and 4 ranks give the same bits",
            arguments: [
                ["network": "{name: highres3dnet, widths: [4, 8, 8]}"],
                ["network": "{name: unet, widths: [5, 8, 12], dropout: 0.2}", "patch": "{size: 44}"],
                [
                    "network": "{name: twopathcnn, widths: [4, 4, 6], normalisation: instance}",
                    "patch": "{size: 35}",
                ],
            ])
        func sameBits(changes: [String: String]) async throws {
            let small = try await run(changes)
            for ranks in [1, 2, 4] {
                let outcome = try await small.train(ranks: ranks, output: "run\(ranks)")
                try #require(outcome.exitCode == 0, "\(outcome)")
            }
            let expected = try tensors(small, 6, "run1")
            #expect(try tensors(small, 2, "run1") != expected)
            for ranks in [2, 4] {
                #expect(try tensors(small, 6, "run\(ranks)") == expected, "\(ranks) ranks")
            }
            #expect(try small.metric("loss", output: "run4") == small.metric("loss", output: "run1"))
        }

        /// As if it had never stopped.
        @Test("A run goes on from 4 ranks to 2 to 1, and back to 4")
        func elasticResume() async throws {
            let small = try await run(["network": "{name: highres3dnet, widths: [4, 8, 8]}"])
            let whole = try await small.train(ranks: 2, output: "whole")
            try #require(whole.exitCode == 0, "\(whole)")
            for (ranks, steps) in [(4, 2), (2, 3), (1, 4), (4, 6)] {
                let outcome = try await small.train(
                    ranks: ranks, output: "parts", options: ["--set", "steps=\(steps)"])
                try #require(outcome.exitCode == 0, "\(outcome)")
            }
            #expect(try tensors(small, 6, "parts") == tensors(small, 6, "whole"))
            #expect(try small.metric("loss", output: "parts") == small.metric("loss", output: "whole"))
        }

        @Test("What cannot be the same bits is refused")
        func refusals() async throws {
            let three = try await run(["batch": "6"])
            expectRefusal(
                try await three.train(ranks: 3), mentions: ["deterministic with 3 ranks", "power of two"])
            let rank = try await run(["network": "{name: highres3dnet, batch_norm: rank}"])
            expectRefusal(try await rank.train(ranks: 2), mentions: ["batch_norm: rank", "expected global"])
        }
    }
}
