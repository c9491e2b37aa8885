import Foundation
import Testing

extension RankTests {
    /// `/dev/full` stands for a full disk, and `>&-` for an output that was closed.
    @Suite("Output that cannot be written")
    struct OutputFaults {
        @Test(
            "A bad configuration ends with code 1 whether or not it can be said",
            arguments: ["exec 2>/dev/full", "exec 2>&-", "exec >/dev/full", "exec >&-"])
        func refusal(redirection: String) async throws {
            var launcher = Launcher(folder: FileManager.default.temporaryDirectory)
            launcher.prologue = redirection
            let outcome = try await launcher.run(["train", "none.yaml"])
            #expect(outcome.exitCode == 1, "\(outcome)")
        }

        @Test("A run trains on, and writes its files", arguments: [">/dev/full 2>/dev/full", ">&- 2>&-"])
        func wholeRun(redirection: String) async throws {
            let small = try await SmallRun(steps: 3)
            var launcher = small.launcher()
            launcher.prologue = "exec " + redirection
            let outcome = try await launcher.run(["train", "run.yaml", "--output", "run"])
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(try small.metric("step") == [1, 2, 3])
            #expect(small.workspace.exists("run/checkpoints/step-00000003.safetensors"))
            // No file of the run has the number of a closed output, and so what is printed.
            #expect(!(try small.workspace.read("run/log.txt").contains("run: done after step 3")))
        }

        /// The rank that fails first ends with 1, and the launcher may send the other SIGTERM before it has
        /// come as far.
        @Test("On two ranks the failure of one ends both")
        func ranks() async throws {
            let small = try await SmallRun(changes: ["batch": "0"])
            var launcher = small.launcher(ranks: 2)
            launcher.wrapper = ["bash", "-c", "exec \"$@\" 2>/dev/full", "bash"]
            let outcome = try await launcher.run(["train", "run.yaml", "--output", "run"])
            #expect(!outcome.timedOut && outcome.exitCode == 1, "\(outcome)")
            #expect(outcome.exitCodes.count == 2 && outcome.exitCodes.contains(1), "\(outcome)")
            #expect(outcome.exitCodes.allSatisfy { [1, 143].contains($0) }, "\(outcome)")
        }
    }
}
