import Foundation
import Sampling
import Synchronization
import Testing

/// Four subjects of 24^3 voxels, made once a process by the program itself.
private enum SharedPhantoms {
    static let made = Task {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "dicerank-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        SharedPhantoms.place.withLock { $0 = folder }
        atexit {
            SharedPhantoms.place.withLock { folder in
                folder.map { try? FileManager.default.removeItem(at: $0) }
            }
        }
        let outcome = try await Launcher(folder: folder).run(["phantom", "data"] + arguments)
        try #require(outcome.exitCode == 0, "\(outcome)")
        return folder.appendingPathComponent("data")
    }

    static let arguments = ["--subjects", "4", "--size", "24", "--foreground", "0.01"]
    private static let place = Mutex<URL?>(nil)
}

/// A training of a tenth of a second a step: patches are slices, whose depth of 1 the network leaves as it
/// is.
struct SmallRun {
    let workspace: Workspace

    /// The options with which `data` was made.
    static let phantomArguments = SharedPhantoms.arguments

    /// Copies the phantoms to `data` and writes a configuration.
    init(steps: Int = 4, changes: [String: String] = [:]) async throws {
        workspace = try Workspace()
        try FileManager.default.copyItem(
            at: try await SharedPhantoms.made.value, to: workspace.folder.appendingPathComponent("data"))
        try configure(steps: steps, changes: changes)
    }

    /// Writes `run.yaml`.
    /// - Parameter changes: replace the values of these keys, given as they stand in the file.
    func configure(steps: Int, changes: [String: String] = [:]) throws {
        var lines = [
            "seed": "3", "steps": "\(steps)", "patch": "{size: [1, 41, 41]}", "batch": "2",
            "data": "{list: data/subjects.csv, modalities: [flair, t1], reference: lesion, mask: wm}",
            "network": "{name: highres3dnet, batch_norm: global}", "loss": "{name: gdl, pooling: image}",
            "optimizer": "{name: adam, learning_rate: 0.001}", "threads": "1",
            "convolution": "winograd",
            "checkpoint": "{every: 5, keep: 100}", "log": "{tensorboard: false}",
        ]
        lines.merge(changes) { $1 }
        let text = lines.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\n" }.joined()
        try workspace.write(text, to: "run.yaml")
    }

    func launcher(ranks: Int? = nil) -> Launcher { Launcher(folder: workspace.folder, ranks: ranks) }

    /// Trains into the folder `output`.
    func train(ranks: Int? = nil, output: String = "run", options: [String] = []) async throws
        -> Launcher.Outcome
    {
        try await launcher(ranks: ranks).run(["train", "run.yaml", "--output", output, "--quiet"] + options)
    }

    /// Starts a training into `run` and waits for its first steps.
    func startTraining(ranks: Int? = nil) async throws -> RunningProgram {
        let running = try launcher(ranks: ranks).start(["train", "run.yaml", "--output", "run", "--quiet"])
        let isTraining = try await running.wait { ((try? metric("loss")) ?? []).count >= 2 }
        try #require(isTraining)
        return running
    }

    /// Spoils an image in a way that neither its header nor its end tells.
    /// - Parameter name: of a file in the workspace, or a path.
    func spoil(_ name: String) throws {
        let path = name.hasPrefix("/") ? name : workspace.path(name)
        var volume = try Volume(reading: path)
        volume.voxels[7] = .nan
        try volume.write(to: path)
    }

    /// A column of `metrics.csv`.
    func metric(_ name: String, output: String = "run") throws -> [Double] {
        let rows = try workspace.read(output + "/metrics.csv").split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let column = try #require(rows.first?.firstIndex(of: name), "no column \(name)")
        return try rows.dropFirst().map { try #require(Double($0[column])) }
    }

    func checkpoint(_ step: Int, output: String = "run") -> String {
        let digits = "\(step)"
        return workspace.path(
            "\(output)/checkpoints/step-\(String(repeating: "0", count: 8 - digits.count))\(digits).safetensors"
        )
    }
}

/// Checks that bad input ended a run as it should: not in a crash or a wait, with a code other than 0 on all
/// ranks, and with one sentence that holds the fragments.
func expectRefusal(
    _ outcome: Launcher.Outcome, mentions fragments: [String],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(!outcome.timedOut, "\(outcome)", sourceLocation: sourceLocation)
    #expect(outcome.exitCode != 0, "\(outcome)", sourceLocation: sourceLocation)
    #expect(!outcome.exitCodes.contains(0), "\(outcome)", sourceLocation: sourceLocation)
    #expect(outcome.errors.count == 1, "\(outcome)", sourceLocation: sourceLocation)
    #expect(outcome.crashSigns.isEmpty, "\(outcome)", sourceLocation: sourceLocation)
    guard let sentence = outcome.errors.first else { return }
    #expect(sentence.hasSuffix(".") || sentence.hasSuffix("?"), "\(sentence)", sourceLocation: sourceLocation)
    for fragment in fragments {
        #expect(sentence.contains(fragment), "'\(fragment)' in: \(sentence)", sourceLocation: sourceLocation)
    }
}
