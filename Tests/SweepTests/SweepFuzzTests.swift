import Configuration
import Foundation
import Fuzzing
import TestSupport
import Testing

@testable import Sweep

/// Damaged configurations of sweeps are read or refused with one sentence.
@Suite struct SweepFuzzTests {
    @Test func damagedSweeps() async {
        await #expect(processExitsWith: .success) {
            try withTemporaryFolder { folder in
                FuzzRun("sweep").run { random in try Self.outcome(folder + "/sweep.yaml", &random) }
            }
        }
        let complaints = FuzzRun("sweep").complaints()
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }

    @Test func aSweepOfTooManyRuns() {
        let rates = (1...101).map { "\($0).0e-5" }.joined(separator: ", ")
        let patches = (1...100).map { "{size: 51, batch: \($0)}" }.joined(separator: ", ")
        #expect {
            try SweepConfiguration(
                yaml: "run: {data: {list: a.csv}}\nnetworks: {highres3dnet: {patches: [\(patches)]}}\n"
                    + "learning_rates: [\(rates)]\nlosses: [gdl]\n", name: "s.yaml")
        } throws: { error in
            "\(error)"
                == "s.yaml:2: networks is 10100 combinations with learning rates and losses, expected at most 10000 of them."
        }
    }

    /// What a sweep does not give is placed in its file.
    @Test func defaultsAreOfTheFile() {
        #expect {
            try SweepConfiguration(
                yaml: "run: {data: {list: a.csv}, optimizer: [1, 2]}\n"
                    + "networks: {highres3dnet: {patches: [{size: 51, batch: 1}]}}\n", name: "s.yaml")
        } throws: { error in
            "\(error)"
                == "s.yaml: run.optimizer is a list of 2, expected a mapping that can hold 'run.optimizer.learning_rate'."
        }
    }

    /// Names, values and what is YAML's own.
    private static let tokens: [String] = {
        let keys = RunConfiguration(list: "a.csv").values.flatMap {
            $0.key.split(separator: ".").map(String.init) + [$0.text]
        }
        return keys + YAMLTokens.all + [
            "widths: [1, 2, 3]",
            "[1000, 1, 1]", "[51, 51]", "{1: [2], 2: [1]}", "{wce: 1, gdl: 0.5}", "networks",
            "learning_rates",
            "losses", "figure", "run", "patches", "set", "label", "name", "all", "auto", "none",
            "others",
        ]
    }()

    static func soundSweep(_ random: inout SeededGenerator) -> String {
        """
        ranks_per_run: \(random.one(of: ["all", "2"]))
        last: 10
        run:
          steps: 100
          data: {list: subjects.csv, held_out: 0.2, modalities: [flair]}
        networks:
          highres3dnet: {patches: [{size: 51, batch: 5}, {size: 85, batch: 1}], set: {network.widths: [8, 16, 32]}}
          deep: {name: deepmedic, patches: [{size: [51, 51, 51], batch: 5}]}
        learning_rates: [1.0e-3, 1.0e-4]
        losses: [wce, gdl, {label: gdl+wce, name: gdl, set: {loss.add: {wce: 0.5}}}]
        figure: {network: highres3dnet, patch: 51, learning_rate: 1.0e-3}
        """
    }

    private static func outcome(_ path: String, _ random: inout SeededGenerator) throws -> FuzzRun.Outcome {
        func sound() -> [UInt8] { Array(soundSweep(&random).utf8) }
        var bytes = sound()
        let isSound = random.once(in: 15)
        if !isSound {
            for _ in 0...random.below(3) {
                if random.once(in: 4) {
                    Damage.bytes(&bytes, splicing: sound(), &random)
                } else {
                    Damage.text(&bytes, tokens: tokens, &random)
                }
            }
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        do {
            let sweep = try SweepConfiguration(contentsOf: path)
            guard !sweep.cells.isEmpty else { throw FuzzRun.Fault("a sweep without cells was accepted") }
            for cell in sweep.cells {
                let run = cell.configuration
                guard try RunConfiguration(yaml: run.yaml) == run else {
                    throw FuzzRun.Fault("the run of \(cell.name) reads back with other values")
                }
            }
            _ = sweep.figureCells
            return .accepted(isSound ? "sound" : "damaged")
        } catch let error as ConfigurationError {
            if isSound { throw FuzzRun.Fault("a sound configuration was refused: \(error)") }
            return .refused(error, naming: [path])
        }
    }
}
