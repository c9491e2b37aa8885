import RunFiles
import Testing

extension RankTests {
    @Suite("distributed.bucket_mib: auto")
    struct Buckets {
        private static let sentence = "Gradients are reduced in buckets of"

        @Test("The size is chosen once, kept, and taken up by a resume on as many ranks")
        func isKept() async throws {
            let small = try await SmallRun(steps: 2)
            let first = try await small.train(ranks: 2)
            try #require(first.exitCode == 0, "\(first)")
            #expect(try log(small).count == 1)
            var checkpoint = try Checkpoint(contentsOf: small.checkpoint(2))
            #expect(checkpoint.bucketCount > 0)

            // One that nobody would choose: the resume has to take it from the file.
            checkpoint.bucketCount = 12_345
            try checkpoint.write(to: small.workspace.path("edited"))
            let options = ["--resume", "edited", "--set", "steps=4"]
            let resumed = try await small.train(ranks: 2, options: options + ["--timeline", "trace.json"])
            try #require(resumed.exitCode == 0, "\(resumed)")
            #expect(try log(small).count == 1)
            #expect(try Checkpoint(contentsOf: small.checkpoint(4)).bucketCount == 12_345)
            let trace = try Trace(small.workspace.path("trace.json"))
            let sent = trace.ranks[0].filter { $0.key >= 5 }.values.joined().compactMap(\.bytes)
            // Two steps of 808,946 gradients, in buckets that are whole but for the last one.
            #expect(sent.count { $0 == 4 * 12_345 } == 2 * (808_946 / 12_345))

            // On another number of ranks it is chosen anew, and one rank has no buckets.
            let alone = try await small.train(output: "alone", options: options)
            try #require(alone.exitCode == 0, "\(alone)")
            #expect(try log(small, "alone").isEmpty)
            #expect(try Checkpoint(contentsOf: small.checkpoint(4, output: "alone")).bucketCount == 0)
        }

        @Test("A size that is given stays, and two ranks get the same bits with any")
        func isGiven() async throws {
            let small = try await SmallRun(steps: 3)
            let chosen = try await small.train(ranks: 2)
            try #require(chosen.exitCode == 0, "\(chosen)")
            let given = try await small.train(
                ranks: 2, output: "given", options: ["--set", "distributed.bucket_mib=0.01"])
            try #require(given.exitCode == 0, "\(given)")
            #expect(try log(small, "given").isEmpty)
            let checkpoint = try Checkpoint(contentsOf: small.checkpoint(3, output: "given"))
            #expect(checkpoint.bucketCount == 0)
            // Two terms have one order.
            #expect(try Checkpoint(contentsOf: small.checkpoint(3)).tensors == checkpoint.tensors)
        }

        @Test("Four ranks that resume repeat the bits of a run that was not stopped")
        func repeats() async throws {
            let small = try await SmallRun(
                steps: 4, changes: ["batch": "4", "checkpoint": "{every: 2, keep: 9}"])
            let whole = try await small.train(ranks: 4, output: "whole")
            try #require(whole.exitCode == 0, "\(whole)")
            let middle = small.checkpoint(2, output: "whole")
            let resumed = try await small.train(ranks: 4, options: ["--resume", middle])
            try #require(resumed.exitCode == 0, "\(resumed)")
            let expected = try Checkpoint(contentsOf: small.checkpoint(4, output: "whole"))
            let found = try Checkpoint(contentsOf: small.checkpoint(4))
            #expect(try log(small, "whole").count == 1 && log(small).isEmpty)
            #expect(found.bucketCount > 0 && found.bucketCount == expected.bucketCount)
            #expect(found.tensors == expected.tensors)
        }

        private func log(_ small: SmallRun, _ output: String = "run") throws -> [Substring] {
            try small.workspace.read(output + "/log.txt").split(separator: "\n")
                .filter { $0.contains(Self.sentence) }
        }
    }
}
