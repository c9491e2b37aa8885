import Foundation
import Testing

@testable import Sampling

@Suite struct SubjectListTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func list(_ text: String) throws -> SubjectList {
        try SubjectList(reading: try folder.write(text, to: "subjects.csv"))
    }

    private func error(_ text: String) -> SubjectListError? {
        #expect(throws: SubjectListError.self) { try list(text) }
    }

    @Test func pathsAreRelativeToTheList() throws {
        let list = try list("subject,flair,t1,lesion,wm\na,a/f.nii,/data/t1.nii,a/l.nii,\n")
        let files = try list.files(modalities: ["t1", "flair"], reference: "lesion", mask: nil)
        #expect(
            files == [
                SubjectFiles(
                    subject: "a",
                    images: [
                        .init(modality: "t1", path: "/data/t1.nii"),
                        .init(modality: "flair", path: folder.file("a/f.nii")),
                    ], reference: folder.file("a/l.nii"))
            ])
        #expect(list.columns == ["flair", "t1", "lesion", "wm"])
    }

    @Test func quotesLineEndsAndBlankLines() throws {
        let text =
            "\u{FEFF}\"subject\",flair\r\n\r\n\"a, \"\"b\"\"\", x y.nii \r\n  \r\n,\r\nc,\"\u{E9}\n.nii\""
        let rows = try list(text).rows
        #expect(rows.map(\.subject) == ["a, \"b\"", "c"])
        #expect(rows.map { $0.cells["flair"] } == ["x y.nii", "\u{E9}\n.nii"])
        #expect(rows.map(\.line) == [3, 6])
    }

    @Test func oldMacLineEnds() throws {
        #expect(try list("subject,flair\ra,1\rb,2\r").rows.map(\.subject) == ["a", "b"])
    }

    @Test func errorsNameTheLine() throws {
        let path = folder.file("subjects.csv")
        #expect(
            error("subject,flair\na,1\nb\n") == .fieldCount(list: path, line: 3, found: 1, expected: 2))
        #expect(
            error("subject,flair\na,1\n\na,2\n")
                == .duplicateSubject(list: path, subject: "a", lines: [2, 4]))
        #expect(error("subject,flair\n,1\n") == .emptyCell(list: path, line: 2, column: "subject"))
        #expect(error("subject,flair\na,\"1\n") == .unclosedQuote(list: path, line: 2))
        #expect(error("subject,flair\n") == .empty(list: path))
        #expect(error("") == .empty(list: path))
        #expect(error("subject,t1,t1\na,1,2\n") == .duplicateColumn(list: path, column: "t1"))
        #expect(throws: SubjectListError.missing(list: folder.file("none.csv"))) {
            try SubjectList(reading: folder.file("none.csv"))
        }
    }

    @Test func missingColumnsComeWithTheNearestName() throws {
        let list = try list("subject,flair,t1,lesion\na,1,2,\n")
        let error = #expect(throws: SubjectListError.self) {
            try list.files(modalities: ["flare"], reference: nil, mask: nil)
        }
        #expect(
            error?.description == "\(list.path) has no column \"flare\" (nearest: \"flair\"); "
                + "its columns are flair, t1 and lesion.")
        let far = #expect(throws: SubjectListError.self) {
            try list.files(modalities: ["flair"], reference: nil, mask: "wm")
        }
        #expect(
            far?.description == "\(list.path) has no column \"wm\"; its columns are flair, t1 and lesion.")
        #expect(throws: SubjectListError.emptyCell(list: list.path, line: 2, column: "lesion")) {
            try list.files(modalities: ["flair"], reference: "lesion", mask: nil)
        }
    }

    @Test func writtenListsAreReadAgain() throws {
        let path = folder.file("out.csv")
        try SubjectList.write(columns: ["flair"], rows: [["a,\"b\"", " x.nii"], ["c", "y.nii"]], to: path)
        let rows = try SubjectList(reading: path).rows
        #expect(rows.map(\.subject) == ["a,\"b\"", "c"])
        #expect(rows.map { $0.cells["flair"] } == [" x.nii", "y.nii"])
        #expect(throws: SubjectListError.self) {
            try SubjectList.write(columns: ["flair"], rows: [], to: folder.file("none/out.csv"))
        }
    }
}
