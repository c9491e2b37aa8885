import Engine
import Foundation
import RunFiles
import TestSupport
import Testing

@testable import Training

/// What a step may do beside the plain update.
@Suite(.serialized) struct StepRuleTests {
    /// With SGD and no momentum the parameters move by learning rate times the clipped gradient.
    @Test(arguments: [1e-3, 1e6])
    func gradientsAreShortenedToTheNorm(clip: Double) throws {
        try withTemporaryFolder { folder in
            var (before, norm) = ([Float](), 0.0)
            var trainer: Trainer?
            _ = try TrainerTests.train(
                folder, "run", steps: 1,
                changes: ["optimizer={name: sgd, learning_rate: 0.5, momentum: 0, clip: \(clip)}"]
            ) {
                before = $0.prepared.step.model.parameters.values
                trainer = $0
            }
            let model = try #require(trainer).prepared.step.model
            norm = try OptimizerTests.device().norm(model.gradients)
            let moved = zip(model.parameters.values, before).map { Double($0 - $1) }
            let length = moved.reduce(0) { $0 + $1 * $1 }.squareRoot()
            // A gradient that is short enough stays as it is.
            #expect(clip > 1 ? norm > 1e-2 && norm < 1e3 : abs(norm / clip - 1) < 1e-5)
            #expect(abs(length / (0.5 * norm) - 1) < 1e-3)
        }
    }

    @Test func stepsThatAreNotFiniteChangeNothing() throws {
        try withTemporaryFolder { folder in
            var trainer: Trainer?
            var before: [Float] = []
            let error = #expect(throws: TrainingError.self) {
                try TrainerTests.train(
                    folder, "run", steps: 20, changes: ["optimizer={non_finite: skip}"]
                ) {
                    // Logits of infinity from the first step on.
                    $0.prepared.step.model.parameters["logits.convolution.bias"] = [.infinity, .infinity]
                    before =
                        $0.prepared.step.model.parameters.values + $0.prepared.step.model.statistics.values
                    trainer = $0
                }
            }
            // Nine are skipped with a word each, the tenth ends the run.
            guard case .notFinite(step: 10, _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            let model = try #require(trainer).prepared.step.model
            #expect(model.parameters.values + model.statistics.values == before)
            let log = try String(contentsOfFile: folder + "/run/log.txt", encoding: .utf8)
            #expect(log.components(separatedBy: "The step is skipped").count == 10)
        }
    }

    /// A file stands where the folder of the checkpoints belongs, until the first failure has been reported.
    @Test func aCheckpointThatFailsIsTriedAgain() throws {
        try withTemporaryFolder { folder in
            let obstacle = folder + "/run/checkpoints"
            let (summary, output) = try TrainerTests.train(
                folder, "run", steps: 7, changes: ["checkpoint={every: 3}"]
            ) { _ in
                try Data().write(to: URL(fileURLWithPath: obstacle))
                Thread.detachNewThread {
                    let log = URL(fileURLWithPath: folder + "/run/log.txt")
                    for _ in 0..<6000 {
                        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
                        if text.contains("tried again after each step") { break }
                        Thread.sleep(forTimeInterval: 0.01)
                    }
                    try? FileManager.default.removeItem(atPath: obstacle)
                }
            }
            #expect(summary?.complete == true)
            #expect(output.contains("could not be made"))
            #expect(output.contains("is written, after"))
            #expect(try CheckpointStore(runFolder: folder + "/run", keep: 3).list().last?.step == 7)
        }
    }

    @Test func theLastCheckpointMustBeWritten() throws {
        try withTemporaryFolder { folder in
            let error = #expect(throws: TrainingError.self) {
                try TrainerTests.train(folder, "run", steps: 2, changes: ["checkpoint={every: 1}"]) { _ in
                    try Data().write(to: URL(fileURLWithPath: folder + "/run/checkpoints"))
                }
            }
            #expect(error?.description.contains("/run/checkpoints' could not be made: ") == true)
        }
    }
}
