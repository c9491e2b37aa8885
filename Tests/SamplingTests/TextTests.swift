import Foundation
import Testing

@testable import Sampling

@Suite struct NearestNameTests {
    static let keys = [
        "name", "learning_rate", "beta1", "beta2", "epsilon", "weight_decay", "clip", "non_finite",
        "momentum",
    ]

    @Test(arguments: [
        ("lr", "learning_rate"), ("LR", "learning_rate"), ("learning_rat", "learning_rate"),
        ("learningRate", "learning_rate"), ("learning-rate", "learning_rate"), ("wd", "weight_decay"),
        ("decay", "weight_decay"), ("eps", "epsilon"), ("momentun", "momentum"), ("mom", "momentum"),
        ("cilp", "clip"),
        ("nonfinite", "non_finite"), ("xyz", nil), ("", nil), ("l", nil),
    ])
    func aKey(name: String, nearest: String?) {
        #expect(nearestName(to: name, in: Self.keys) == nearest)
    }

    @Test func aliasesGoFirstAndPathsAreComparedAsAWhole() {
        let names = ["batch", "steps", "step_size", "patch", "patch.size", "loss.name"]
        #expect(nearestName(to: "step", in: names) == "steps")
        #expect(nearestName(to: "epochs", in: names) == nil)
        #expect(nearestName(to: "max_epochs", in: names, aliases: ["maxepochs": "steps"]) == "steps")
        #expect(nearestName(to: "patch_size", in: names) == "patch.size")
        #expect(nearestName(to: "size", in: names) == "patch.size")
        #expect(nearestName(to: "loss_name", in: names) == "loss.name")
    }

    @Test(arguments: [
        ("steps", "steps", 0), ("stpes", "steps", 1), ("patc", "patch", 1), ("kitten", "sitting", 3),
    ])
    func editDistances(a: String, b: String, distance: Int) {
        #expect(a.editDistance(to: b) == distance)
        #expect(b.editDistance(to: a) == distance)
    }

    @Test func countsAgreeWithTheirNouns() {
        #expect(counted(1, "subject") == "1 subject" && counted(0, "subject") == "0 subjects")
        #expect(counted(12_345, "step") == "12,345 steps")
        #expect(counted(1, "patch", plural: "patches") == "1 patch")
        #expect(counted(2, "patch", plural: "patches") == "2 patches")
    }
}

@Suite struct PathKindTests {
    @Test func aFolderIsNoFile() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("subject,flair\n", to: "b.csv")
        _ = try folder.write("", to: ".a.csv")
        #expect(PathKind.isFolder(folder.path) && !PathKind.isFile(folder.path))
        #expect(PathKind.isFile(folder.file("b.csv")) && !PathKind.isFolder(folder.file("b.csv")))
        #expect(!PathKind.isFile(folder.file("none")) && !PathKind.isFolder(folder.file("none")))
        #expect(PathKind.example(in: folder.path, [".csv"]) == folder.file("b.csv"))
        #expect(PathKind.example(in: folder.path + "/", [".csv"]) == folder.file("b.csv"))
        #expect(PathKind.example(in: folder.path, [".yaml"]) == nil)
        #expect {
            try SubjectList(reading: folder.path)
        } throws: { error in
            "\(error)"
                == "The subject list \(folder.path) is a folder; a CSV file with a header and a row for each subject is "
                + "expected, such as \(folder.file("b.csv"))."
        }
        #expect {
            try Volume(reading: folder.path)
        } throws: { error in
            "\(error)"
                == "\(folder.path) cannot be read: it is a folder, and a .nii or .nii.gz file is expected."
        }
    }
}

@Suite struct CSVTableTests {
    @Test func whatIsWrittenIsReadAgain() throws {
        let rows = [
            ["a", "", "b,c", "d \"e\""], ["", "", "", ""], [" f ", "g\nh", "\u{E9}\r\n", "\"\u{301}"],
        ]
        #expect(try CSVTable(parsing: CSVTable.text(rows)).rows.map(\.fields) == rows)
        #expect(CSVTable.line(["a", "b,c", "d \"e\""]) == "a,\"b,c\",\"d \"\"e\"\"\"")
    }

    @Test func fieldsAreCutAtCommasOutsideOfQuotes() throws {
        let rows = try CSVTable(parsing: "a,,\"b,c\",\"d \"\"e\"\"\"\n\n,\nf , g").rows
        #expect(rows.map(\.fields) == [["a", "", "b,c", "d \"e\""], ["", ""], ["f", "g"]])
        #expect(rows.map(\.line) == [1, 3, 4] && rows.map(\.hasText) == [true, false, true])
        #expect(throws: CSVTable.UnclosedQuote.self) { try CSVTable(parsing: "a\n\"b") }
    }
}

@Suite struct TextTableTests {
    @Test func columnsAreAligned() {
        var table = TextTable(headers: [["name", "ms", "kind"]], alignments: [.left, .right, .left])
        table.rows = [["a", "12.50", "long word"], ["bcdefg", "", "w"], ["short"]]
        #expect(
            table.lines == [
                "name       ms  kind", "a       12.50  long word", "bcdefg         w", "short",
            ])
        // Beyond the alignments: to the right.
        #expect(TextTable(headers: [["a", "bb"], ["ccc", "d"]]).lines == ["  a  bb", "ccc   d"])
        #expect(TextTable().lines.isEmpty)
    }
}
