import Foundation
import Fuzzing
import Sampling
import TestSupport
import Testing

@testable import Configuration

/// Damaged configurations are read or refused with one sentence.
@Suite struct ConfigurationFuzzTests {
    @Test func damagedConfigurations() async {
        await #expect(processExitsWith: .success) {
            try withTemporaryFolder { folder in
                FuzzRun("configuration").run { random in try Self.outcome(folder + "/config.yaml", &random) }
            }
        }
        let complaints = FuzzRun("configuration").complaints()
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }

    /// Nine lines that stand for a billion values.
    @Test func aliasesThatMultiply() throws {
        let path = "laughs.yaml"
        for yaml in [YAMLTokens.laughs, "data: {list: a.csv}\n" + YAMLTokens.laughs] {
            let begin = Date()
            let error = #expect(throws: ConfigurationError.self) {
                try RunConfiguration(yaml: yaml, name: path)
            }
            #expect(Date().timeIntervalSince(begin) < 5)
            #expect(
                error?.description.hasSuffix(
                    "with its aliases written out, the file has more than 100000 values.") == true)
        }
        // A few aliases are what they stand for.
        let run = try RunConfiguration(yaml: "data: {list: a.csv, modalities: &m [t1]}\nthreads: 2\n")
        #expect(run.data.modalities == ["t1"])
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

    static func soundRun(_ random: inout SeededGenerator) throws -> String {
        var run = RunConfiguration(list: random.one(of: ["subjects.csv", "/a/b c.csv", "ä.csv"]))
        run.seed = random.below(1000)
        run.steps = 1 + random.below(100_000)
        run.data.modalities = random.one(of: [[], ["flair"], ["t1", "flair"]])
        run.data.mask = random.one(of: [nil, "wm"])
        run.data.mergeLabels = try random.one(
            of: [LabelMerging(), LabelMerging([1: [1, 2, 4]]), LabelMerging([1: [7]], others: 0)])
        run.patch.size = random.one(of: [[51, 51, 51], [1, 64, 64], [20, 30, 40]])
        run.network.widths = random.one(of: [nil, [8, 16, 32]])
        run.loss.add = random.one(of: [[:], [.wce: 0.5]])
        run.optimizer.name = random.one(of: [.adam, .sgd])
        run.optimizer.learningRate = random.one(of: [1e-3, 1e-5, 0.1])
        run.optimizer.clip = random.one(of: [nil, 12.5])
        run.distributed.bucketMebibytes = random.one(of: [nil, 0.5])
        return run.yaml
    }

    private static func outcome(_ path: String, _ random: inout SeededGenerator) throws -> FuzzRun.Outcome {
        func sound() throws -> [UInt8] { Array(try soundRun(&random).utf8) }
        var bytes = try sound()
        let isSound = random.once(in: 15)
        if !isSound {
            for _ in 0...random.below(3) {
                if random.once(in: 4) {
                    Damage.bytes(&bytes, splicing: try sound(), &random)
                } else {
                    Damage.text(&bytes, tokens: tokens, &random)
                }
            }
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        do {
            try check(try RunConfiguration(contentsOf: path))
            return .accepted(isSound ? "sound" : "damaged")
        } catch let error as ConfigurationError {
            if isSound { throw FuzzRun.Fault("a sound configuration was refused: \(error)") }
            return .refused(error, naming: [path])
        }
    }

    /// What is accepted is what its own text says, with numbers in their ranges.
    static func check(_ run: RunConfiguration) throws {
        let again = try RunConfiguration(yaml: run.yaml)
        guard again == run else {
            throw FuzzRun.Fault(
                "the resolved configuration reads back with other \(again.differences(from: run).map(\.key))")
        }
        let rates = [run.optimizer.learningRate, run.loss.lambda, run.data.heldOut, run.optimizer.clip ?? 1]
        guard rates.allSatisfy(\.isFinite), run.optimizer.learningRate > 0, run.steps > 0, run.batch > 0
        else {
            throw FuzzRun.Fault("numbers out of range were accepted: \(run.yaml)")
        }
    }
}
