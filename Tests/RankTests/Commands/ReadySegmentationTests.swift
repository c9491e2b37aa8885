import Foundation
import Testing

extension RankTests {
    @Suite("Segmentations that are there")
    struct ReadySegmentations {
        @Test("The same command computes what is missing, cut or of other images or another checkpoint")
        func again() async throws {
            let small = try await SmallRun(steps: 2, changes: ["checkpoint": "{every: 1, keep: 100}"])
            let trained = try await small.train()
            try #require(trained.exitCode == 0, "\(trained)")
            func segment(_ options: [String] = [], step: Int = 2, ranks: Int? = nil) async throws -> [String]
            {
                let outcome = try await small.launcher(ranks: ranks).run(
                    [
                        "segment", "--checkpoint", small.checkpoint(step), "--list", "data/subjects.csv",
                        "--output", "out",
                    ] + options)
                #expect(outcome.exitCode == 0, "\(outcome)")
                #expect(
                    outcome.standardOutput.split(separator: "\n").map(String.init).sorted()
                        == (1...4).map { "out/phantom-00\($0).nii.gz" })
                // The line of a volume that was computed.
                return outcome.standardError.split(separator: "\n").filter {
                    $0.contains("foreground voxels")
                }
                .map { String($0.prefix { $0 != ":" }) }.sorted()
            }
            let all = (1...4).map { "phantom-00\($0)" }
            #expect(try await segment() == all)
            #expect(try await segment().isEmpty)
            #expect(try await segment(ranks: 2).isEmpty)
            #expect(try await segment(["--overwrite"]) == all)

            let file = URL(fileURLWithPath: small.workspace.path("out/phantom-002.nii.gz"))
            let whole = try Data(contentsOf: file)
            try whole.dropLast(20).write(to: file)
            try FileManager.default.removeItem(atPath: small.workspace.path("out/phantom-003.nii.gz"))
            let image = small.workspace.path("data/phantom-004/t1.nii.gz")
            try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: image)
            // A file that is cut so far that its header cannot be read may be anyone's; this one says whose
            // it is.
            #expect(try await segment(ranks: 2) == ["phantom-002", "phantom-003", "phantom-004"])
            #expect(try Data(contentsOf: file) == whole)
            #expect(try await segment(["--probabilities"]) == all)
            #expect(try await segment(["--probabilities"]).isEmpty)
            #expect(try await segment(step: 1) == all)
        }
    }
}
