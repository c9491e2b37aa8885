import Configuration
import RunFiles
import Testing

@testable import Training

@Suite struct CheckpointConfigurationTests {
    static let checkpoint = Checkpoint(
        step: 1, network: "highres3dnet", configurationText: RunConfiguration(list: "/a.csv").yaml, ranks: 2,
        threads: 1, tensors: [])

    @Test func theConfigurationIsReadBack() throws {
        #expect(try Self.checkpoint.configuration() == RunConfiguration(list: "/a.csv"))
    }

    @Test func onlySomeKeysMayChange() throws {
        let checkpoint = Self.checkpoint
        var configuration = RunConfiguration(list: "/elsewhere/a.csv")
        configuration.steps = 9
        configuration.log.every = 5
        configuration.optimizer.learningRate = 1e-5
        let keys = try checkpoint.check(against: configuration, path: "c").map(\.key)
        #expect(keys == ["steps", "data.list", "optimizer.learning_rate", "log.every"])
        configuration.patch.size = [63, 63, 63]
        #expect {
            try checkpoint.check(against: configuration, path: "c")
        } throws: { error in
            "\(error)"
                == "'c' was written with patch.size 51, but this run has 63: resume with the same value, or start anew "
                + "with --resume never."
        }
    }
}
