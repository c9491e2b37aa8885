import Foundation
import RunFiles
import Testing

extension RankTests {
    @Suite("Faults of checkpoints")
    struct CheckpointFaults {
        /// A run of 6 steps with checkpoints at 5 and 6.
        private func trained() async throws -> SmallRun {
            let small = try await SmallRun(steps: 6)
            let outcome = try await small.train()
            try #require(outcome.exitCode == 0, "\(outcome)")
            return small
        }

        private func flipByte(of path: String) throws {
            var data = try Data(contentsOf: URL(fileURLWithPath: path))
            data[data.count - 1000] ^= 0x10
            try data.write(to: URL(fileURLWithPath: path))
        }

        @Test("A damaged one is named, and the one before it is used")
        func damaged() async throws {
            let small = try await trained()
            try flipByte(of: small.checkpoint(6))
            let outcome = try await small.launcher(ranks: 2).run(
                ["train", "run.yaml", "--output", "run", "--set", "steps=7"])
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(outcome.standardError.contains("step-00000006.safetensors"), "\(outcome)")
            #expect(try small.metric("step").last == 7)
        }

        @Test("A damaged one that was asked for is refused", arguments: [nil, 2])
        func damagedAndNamed(ranks: Int?) async throws {
            let small = try await trained()
            try flipByte(of: small.checkpoint(6))
            let outcome = try await small.train(
                ranks: ranks, options: ["--resume", small.checkpoint(6), "--set", "steps=7"])
            expectRefusal(outcome, mentions: ["step-00000006.safetensors", "damaged"])
            let segmented = try await small.launcher().run(
                [
                    "segment", "--checkpoint", small.checkpoint(6), "--list", "data/subjects.csv", "--output",
                    "out",
                ])
            expectRefusal(segmented, mentions: ["step-00000006.safetensors", "damaged"])
        }

        @Test("A truncated one and nothing else is refused")
        func truncated() async throws {
            let small = try await trained()
            for step in [5, 6] {
                let file = URL(fileURLWithPath: small.checkpoint(step))
                try Data(contentsOf: file).prefix(10_000).write(to: file)
            }
            expectRefusal(
                try await small.train(ranks: 2, options: ["--set", "steps=7"]),
                mentions: ["step-00000006.safetensors", "step-00000005.safetensors"])
        }

        @Test("One of another network is refused")
        func otherNetwork() async throws {
            let small = try await trained()
            let data = "{list: data/subjects.csv, modalities: [flair], reference: lesion, mask: wm}"
            try small.configure(steps: 8, changes: ["data": data])
            expectRefusal(
                try await small.train(ranks: 2, output: "other", options: ["--resume", small.checkpoint(6)]),
                mentions: ["step-00000006.safetensors"])
        }

        @Test("--resume never does not touch a run that is there")
        func never() async throws {
            let small = try await trained()
            let before = try Data(contentsOf: URL(fileURLWithPath: small.checkpoint(6)))
            expectRefusal(try await small.train(options: ["--resume", "never"]), mentions: ["run"])
            #expect(try Data(contentsOf: URL(fileURLWithPath: small.checkpoint(6))) == before)
        }

        /// The limit on a file's size stands for the disk's end: any user may set it, and the write fails
        /// half way as it does there.
        @Test("A disk that is full while a checkpoint is written", arguments: [nil, 2])
        func fullDisk(ranks: Int?) async throws {
            let small = try await SmallRun(steps: 5)
            let first = try await small.train(ranks: ranks)
            try #require(first.exitCode == 0, "\(first)")
            let before = try Data(contentsOf: URL(fileURLWithPath: small.checkpoint(5)))
            var launcher = small.launcher(ranks: ranks)
            // Units of 1024 bytes; a checkpoint has 9.7 MB, and the segment of shared memory that MPI uses 4
            // MB.
            launcher.prologue = "trap '' XFSZ; ulimit -f 8192"
            let outcome = try await launcher.run(
                ["train", "run.yaml", "--output", "run", "--quiet", "--set", "steps=10"])
            expectRefusal(outcome, mentions: ["run/checkpoints/step-00000010.safetensors"])
            #expect(try Data(contentsOf: URL(fileURLWithPath: small.checkpoint(5))) == before)
            let names = try FileManager.default.contentsOfDirectory(
                atPath: small.workspace.path("run/checkpoints"))
            #expect(names == ["step-00000005.safetensors"])
            let resumed = try await small.train(ranks: ranks, options: ["--set", "steps=10"])
            #expect(resumed.exitCode == 0, "\(resumed)")
            #expect(try small.metric("step") == (1...10).map(Double.init))
        }

        @Test("A file system that is really full")
        func fullFileSystem() async throws {
            let small = try await SmallRun(steps: 5)
            let mountPoint = small.workspace.path("full")
            try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: true)
            guard getuid() == 0, shell("mount -t tmpfs -o size=12m tmpfs '\(mountPoint)'") == 0 else {
                try Test.cancel("mounting a small file system needs root")
            }
            defer { #expect(shell("umount '\(mountPoint)'") == 0) }
            // The first checkpoint fits, the second does not.
            let outcome = try await small.train(output: "full/run", options: ["--set", "steps=10"])
            expectRefusal(outcome, mentions: ["full/run/checkpoints/step-00000010.safetensors"])
            let kept = small.workspace.path("full/run/checkpoints/step-00000005.safetensors")
            #expect(throws: Never.self) { try Checkpoint(contentsOf: kept) }
        }

        private func shell(_ command: String) -> Int32 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", command]
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return -1 }
            process.waitUntilExit()
            return process.terminationStatus
        }
    }
}
