import Configuration
import Foundation
import Sampling
import Testing
import Training

extension RankTests {
    @Suite("Subjects are opened before the first step")
    struct Preflight {
        private static let data =
            "{list: data/subjects.csv, modalities: [flair, t1], reference: lesion, mask: wm, held_out: 0.5}"

        private func heldOut(_ small: SmallRun) throws -> [SubjectFiles] {
            try TrainingTask(RunConfiguration(contentsOf: small.workspace.path("run.yaml"))).heldOut
        }

        private func write(_ labels: (inout [UInt8]) -> Void, to path: String) throws {
            var map = try LabelMap(reading: path, classes: 2)
            labels(&map.labels)
            try map.write(to: path)
        }

        @Test("A held-out subject that cannot be used ends the run before it has begun", arguments: [nil, 2])
        func heldOut(ranks: Int?) async throws {
            let small = try await SmallRun(changes: ["data": Self.data])
            let subjects = try heldOut(small)
            // 0/255 labels, seen in no header, and an image that is cut.
            let reference = try #require(subjects[0].reference)
            try write({ $0 = $0.map { $0 * 255 } }, to: reference)
            let image = subjects[1].images[1].path
            let bytes = try Data(contentsOf: URL(fileURLWithPath: image))
            try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: image))
            let outcome = try await small.train(ranks: ranks)
            expectRefusal(
                outcome,
                mentions: [
                    "Held-out subject \(subjects[0].subject)", reference, "255", "1 other subject",
                    subjects[1].subject,
                ])
            #expect(!small.workspace.exists("run/metrics.csv") && !small.workspace.exists("run/checkpoints"))
            // What is not scored need not be there.
            let unscored = try await small.train(
                ranks: ranks, options: ["--set", "evaluate.at_end=false", "--set", "steps=1"])
            #expect(unscored.exitCode == 0, "\(unscored)")
        }

        @Test("A sweep trains no cell where a held-out subject cannot be used")
        func sweep() async throws {
            let small = try await SmallRun(changes: ["data": Self.data])
            let path = try heldOut(small)[0].images[0].path
            try FileManager.default.removeItem(atPath: path)
            try small.workspace.write(
                """
                run: {steps: 1, threads: 1, data: \(Self.data)}
                networks: {unet: {patches: [{size: 56, batch: 2}]}}
                learning_rates: [1.0e-3]
                losses: [gdl, dl2]

                """, to: "sweep.yaml")
            for ranks in [nil, 2] {
                let outcome = try await small.launcher(ranks: ranks).run(
                    ["sweep", "sweep.yaml", "--output", "sweep", "--quiet"])
                expectRefusal(outcome, mentions: ["Held-out subject", path])
                #expect(!small.workspace.exists("sweep"))
            }
        }

        @Test("inspect reads held-out subjects and names them")
        func inspect() async throws {
            let small = try await SmallRun(changes: ["data": Self.data])
            let names = try heldOut(small).map(\.subject)
            let outcome = try await small.launcher().run(["inspect", "run.yaml", "--draws", "5"])
            #expect(outcome.exitCode == 0, "\(outcome)")
            let lines = outcome.standardOutput.split(separator: "\n").map(String.init)
            #expect(
                lines.filter { $0.hasSuffix("; held out") }.map { String($0.prefix { $0 != ":" }) } == names)
            #expect(lines.contains { $0.hasPrefix("4 subjects, 2 of them held out, ") }, "\(outcome)")
            let image = try heldOut(small)[1].images[0].path
            try FileManager.default.removeItem(atPath: image)
            expectRefusal(try await small.launcher().run(["inspect", "run.yaml"]), mentions: [image])
        }
    }
}
