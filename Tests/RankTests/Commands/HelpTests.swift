import Foundation
import Testing

/// Help texts are part of the interface: a change shows in review as a change of a file in
/// Tests/Fixtures/help. `DICERANK_RECORD=1 swift test --filter HelpTests` writes them anew.
@Suite("Help texts")
struct HelpTests {
    static let folder = packageFolder.appendingPathComponent("Tests/Fixtures/help")

    @Test(
        "The text is the recorded one",
        arguments: [
            "", "phantom", "inspect", "train", "sweep", "segment", "evaluate", "report", "doctor", "bench",
            "bench plan", "bench step", "bench scaling",
        ])
    func isRecorded(command: String) async throws {
        let workspace = try Workspace()
        let words = command.split(separator: " ").map(String.init)
        // The width is that of the terminal elsewhere.
        let launcher = Launcher(folder: workspace.folder, environment: ["COLUMNS": "100"])
        let outcome = try await launcher.run(words + ["--help"])
        #expect(outcome.exitCode == 0)
        #expect(outcome.standardError.isEmpty)
        let name = (["dicerank"] + words).joined(separator: "-") + ".txt"
        let file = Self.folder.appendingPathComponent(name)
        if ProcessInfo.processInfo.environment["DICERANK_RECORD"] == "1" {
            try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
            try outcome.standardOutput.write(to: file, atomically: true, encoding: .utf8)
        }
        let recorded = try String(contentsOf: file, encoding: .utf8)
        #expect(outcome.standardOutput == recorded)
        if words.count != 1 || words[0] != "bench" { #expect(recorded.contains("Example")) }
    }

    @Test("Version and help go to standard output")
    func version() async throws {
        let workspace = try Workspace()
        let outcome = try await Launcher(folder: workspace.folder).run(["--version"])
        #expect(outcome.exitCode == 0)
        #expect(outcome.standardOutput == "0.1.0\n")
    }

    @Test(
        "Wrong options end with one sentence and a code",
        arguments: [
            (["train"], "Missing expected argument '<CONFIG>'."),
            (["phantom", "x", "--subject", "3"], "Unknown option '--subject'. Did you mean '--subjects'?"),
            (["phantom", "x", "--subjects", "0"], "--subjects is 0, expected 1 to 100000."),
            (
                ["segment", "--checkpoint", "a", "--output", "b"],
                "Expected one of --list, --image and --held-out."
            ),
            (["evaluate", "--prediction", "a"], "Expected --list or --config, found neither."),
            (["trian", "config.yaml"], "Unknown command 'trian'. Did you mean 'train'?"),
            (["help", "segmnet"], "Unknown command 'segmnet'. Did you mean 'segment'?"),
            (["bench", "paln", "config.yaml"], "Unknown command 'paln'. Did you mean 'plan'?"),
            (["bench", "xyzzy"], "Unknown command 'xyzzy'. The commands are plan, step and scaling."),
            (["predict", "--checkpoint", "run"], "Unknown command 'predict'. Did you mean 'segment'?"),
            (["train", "a.yaml", "b.yaml"], "Unexpected argument 'b.yaml'."),
        ])
    func wrongOptions(arguments: [String], sentence: String) async throws {
        let workspace = try Workspace()
        let outcome = try await Launcher(folder: workspace.folder).run(arguments)
        #expect(outcome.exitCode == 64)
        #expect(outcome.standardError == "error: \(sentence)\n")
        #expect(outcome.standardOutput.isEmpty)
    }
}
