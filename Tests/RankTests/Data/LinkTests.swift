import Foundation
import Testing

extension RankTests {
    @Suite("Data sets of links")
    struct Links {
        @Test("A data set whose files are links trains, and one that is not fetched is said to be")
        func dataLad() async throws {
            let small = try await SmallRun(steps: 1)
            let files = FileManager.default
            let folder = small.workspace.path("data/phantom-001")
            try files.createDirectory(atPath: folder + "/annex", withIntermediateDirectories: true)
            for name in ["flair", "t1", "lesion", "wm"] {
                try files.moveItem(
                    atPath: "\(folder)/\(name).nii.gz", toPath: "\(folder)/annex/\(name)-content.nii.gz")
                try files.createSymbolicLink(
                    atPath: "\(folder)/\(name).nii.gz", withDestinationPath: "annex/\(name)-content.nii.gz")
            }
            let outcome = try await small.train(ranks: 2)
            #expect(outcome.exitCode == 0, "\(outcome)")
            try files.removeItem(atPath: folder + "/annex/t1-content.nii.gz")
            expectRefusal(
                try await small.train(ranks: 2, output: "other"),
                mentions: ["phantom-001/t1.nii.gz is a link to annex/t1-content.nii.gz", "datalad get"])
            try files.createSymbolicLink(
                atPath: small.workspace.path("link.yaml"), withDestinationPath: "none.yaml")
            expectRefusal(
                try await small.launcher().run(["train", "link.yaml"]),
                mentions: ["link.yaml", "is a link to none.yaml"])
            try files.createSymbolicLink(
                atPath: small.workspace.path("link.safetensors"), withDestinationPath: "none")
            expectRefusal(
                try await small.launcher().run(
                    ["segment", "--checkpoint", "link.safetensors", "--held-out", "--output", "out"]),
                mentions: ["link.safetensors is a link to none"])
        }
    }
}
