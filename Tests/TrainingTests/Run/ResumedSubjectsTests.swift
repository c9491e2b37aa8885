import Foundation
import RunFiles
import TestSupport
import Testing

@testable import Training

@Suite(.serialized) struct ResumedSubjectsTests {
    @Test func aRunGoesOnWithItsOwnSubjectsOnly() throws {
        try withTemporaryFolder { folder in
            try TrainerTests.train(folder, "run", steps: 2)
            let list = folder + "/subjects.csv"
            let text = try String(contentsOfFile: list, encoding: .utf8)
            let checkpoint = folder + "/run/checkpoints/" + CheckpointStore.fileName(step: 2)

            // A list and files that lie elsewhere are the same subjects.
            try FileManager.default.createDirectory(
                atPath: folder + "/moved", withIntermediateDirectories: false)
            try AtomicFile.write(
                folder + "/moved/list.csv",
                text: text.replacing(/([01])(-label)?\.nii/) { "\(folder)/\($0.output.0)" })
            try TrainerTests.train(
                folder, "copy", steps: 3, resume: .file(checkpoint),
                changes: ["data.list=\(folder)/moved/list.csv"])
            #expect(
                try TrainerTests.checkpoint(folder, "copy", step: 3).subjects == SubjectNames(["a", "b"]))

            try AtomicFile.write(list, text: text + "c,0.nii,0-label.nii\n")
            let error = #expect(throws: CheckpointError.self) {
                try TrainerTests.train(folder, "run", steps: 3)
            }
            #expect(
                error?.description.contains(
                    "'\(checkpoint)' was written with a list of 2 subjects, but '\(list)' has 3,") == true)

            // An older file does not tell.
            var older = try TrainerTests.checkpoint(folder, "run", step: 2)
            older.subjects = nil
            try older.write(to: folder + "/older")
            try TrainerTests.train(folder, "older-run", steps: 3, resume: .file(folder + "/older"))
            #expect(try TrainerTests.checkpoint(folder, "older-run", step: 3).subjects?.count == 3)
        }
    }
}
