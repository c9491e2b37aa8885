import Foundation
import Testing

@testable import Training

@Suite(.serialized) struct SubjectNamesTests {
    @Test(arguments: [
        (["a", "b", "c"], "3 subjects, but 'l.csv' has 2"),
        (["a", "c"], "2 subjects, but the 2 of 'l.csv' have other names"),
        (["b", "a"], "2 subjects, but 'l.csv' has them in another order"),
        (["ab"], "1 subject, but 'l.csv' has 2"),
    ])
    func aDifferenceIsNamed(trained: [String], difference: String) throws {
        let listed = SubjectNames(["a", "b"])
        let error = #expect(throws: CheckpointError.self) {
            try SubjectNames(trained).check(listed, list: "l.csv", path: "c")
        }
        #expect(
            error?.description
                == "'c' was written with a list of \(difference), and the names in their order decide which subjects are "
                + "held out: restore the list, or start anew with --resume never and another --output.")
    }

    @Test func theDigestIsOfTheNamesWithTheirLengths() throws {
        let names = SubjectNames(["b", "a"])
        try names.check(SubjectNames(["b", "a"]), list: "l.csv", path: "c")
        // printf 1:b1:a | sha256sum; printf 1:a1:b | sha256sum
        #expect(names.count == 2)
        #expect(names.digest == "9c50aa7b503956efae34db7e0b98bfa067062a99e8c5851099877f0b67707daf")
        #expect(names.sortedDigest == "facdde7abf1eac5b301273ab2e282f79bab0100f058833a7b8bdf9f80741e149")
        #expect(SubjectNames(metadata: names.metadata) == names)
        #expect(SubjectNames(metadata: ["subjects": "2"]) == nil)
    }

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
