import Foundation
import RunFiles
import Testing

extension RankTests {
    @Suite("accumulate")
    struct Accumulation {
        private static let sgd = "{name: sgd, learning_rate: 0.002}"

        /// Relative; see ``Equality/tolerance``.
        private func expectSameCurve(_ small: SmallRun, _ found: String, _ expected: String) throws {
            let (found, expected) = (
                try small.metric("loss", output: found), try small.metric("loss", output: expected)
            )
            try #require(found.count == expected.count && expected.count > 3)
            // Steps see different patches, or equal curves would say little.
            #expect((expected.max() ?? 0) - (expected.min() ?? 0) > 100 * Equality.tolerance)
            let worst = zip(found, expected).map { abs($0 - $1) / abs($1) }.max() ?? 1
            #expect(worst < Equality.tolerance, "\(found), expected \(expected)")
        }

        private func train(
            _ small: SmallRun, _ output: String, ranks: Int? = nil, options: [String]
        ) async throws {
            let outcome = try await small.train(
                ranks: ranks, output: output, options: options.flatMap { ["--set", $0] })
            try #require(outcome.exitCode == 0, "\(outcome)")
        }

        @Test(
            "Two micro-batches are one batch of twice as many patches",
            arguments: [
                ["loss.pooling=image"], ["loss.pooling=batch"],
                ["loss.pooling=batch", "data.reference_kind=probabilities"],
            ])
        func isOneBatch(options: [String]) async throws {
            let small = try await SmallRun(
                changes: [
                    "optimizer": Self.sgd,
                    "network": "{name: unet, widths: [5, 8, 12], dropout: 0.2, normalisation: instance}",
                    "patch": "{size: 44}",
                ])
            try await train(small, "whole", options: options + ["batch=4"])
            try await train(small, "parts", options: options + ["batch=2", "accumulate=2"])
            try expectSameCurve(small, "parts", "whole")
            for column in ["imbalance", "dsc"] {
                let (parts, whole) = (
                    try small.metric(column, output: "parts"), try small.metric(column, output: "whole")
                )
                #expect(zip(parts, whole).allSatisfy { abs($0 - $1) < 1e-3 }, "\(column)")
            }
            // All patches of the step count.
            let (rates, seconds) = (
                try small.metric("voxels_per_second", output: "parts"),
                try small.metric("step_seconds", output: "parts")
            )
            for (rate, seconds) in zip(rates, seconds) {
                #expect(abs(rate * seconds / Double(4 * 44 * 44) - 1) < 0.1)
            }
        }

        @Test("1 and 2 ranks follow one curve, global batch norm", arguments: ["image", "batch"])
        func sameCurve(pooling: String) async throws {
            let small = try await SmallRun(
                changes: [
                    "loss": "{name: gdl, pooling: \(pooling)}", "optimizer": Self.sgd, "accumulate": "2",
                    "network": "{name: highres3dnet, widths: [4, 8, 8]}",
                ])
            for ranks in [1, 2] { try await train(small, "run\(ranks)", ranks: ranks, options: []) }
            try expectSameCurve(small, "run2", "run1")
            #expect(
                try small.metric("imbalance", output: "run2") == small.metric("imbalance", output: "run1"))
        }

        @Test("Deterministic: 1, 2 and 4 ranks give the same bits")
        func sameBits() async throws {
            let small = try await SmallRun(
                steps: 3,
                changes: [
                    "batch": "4", "accumulate": "2", "distributed": "{reduction: deterministic}",
                    "loss": "{name: gdl, pooling: batch, add: {wce: 0.5}}",
                    "network": "{name: unet, widths: [5, 8, 12], dropout: 0.2}", "patch": "{size: 44}",
                ])
            for ranks in [1, 2, 4] { try await train(small, "run\(ranks)", ranks: ranks, options: []) }
            let expected = try Checkpoint(contentsOf: small.checkpoint(3, output: "run1")).tensors
            for ranks in [2, 4] {
                let found = try Checkpoint(contentsOf: small.checkpoint(3, output: "run\(ranks)")).tensors
                #expect(found == expected, "\(ranks) ranks")
            }
        }

        @Test("Bad values get one sentence", arguments: ["0", "4097", "two"])
        func badValue(value: String) async throws {
            let small = try await SmallRun(changes: ["accumulate": value])
            expectRefusal(
                try await small.train(), mentions: ["run.yaml", "accumulate", "'\(value)'", "1 to 4096"])
        }

        @Test("Ranks divide a micro-batch, and a resumed run keeps their number")
        func refusals() async throws {
            let small = try await SmallRun(steps: 1, changes: ["accumulate": "2"])
            expectRefusal(
                try await small.train(ranks: 4), mentions: ["batch of 2", "4 ranks", "1 and 2 are numbers"])
            try await train(small, "run", options: [])
            expectRefusal(
                try await small.train(options: ["--set", "accumulate=1", "--set", "steps=2"]),
                mentions: ["step-00000001", "accumulate", "2", "1"])
        }
    }
}
