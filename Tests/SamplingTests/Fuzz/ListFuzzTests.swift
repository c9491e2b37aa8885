import Foundation
import Fuzzing
import Testing

@testable import Sampling

/// Damaged lists are read or refused with one sentence, and so are the files that they name.
@Suite struct ListFuzzTests {
    @Test func damagedLists() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            FuzzRun("list").run { random in try Self.outcome(folder, &random) }
        }
        let complaints = FuzzRun("list").complaints()
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }

    /// What a damaged header can hold does not end up in a message as it is.
    @Test func namesAreQuotedAndCounted() {
        let columns = (1...12).map { "c\($0)" }
        #expect(
            SubjectListError.missingColumn(list: "l.csv", column: "\u{1B}[31m\nx", columns: columns)
                .description
                == "l.csv has no column \" [31m x\"; its columns are c1, c2, c3, c4, c5, c6, c7, c8 and 4 more."
        )
        #expect(
            SubjectListError.missingColumn(list: "l.csv", column: "flair", columns: ["", "..", "a b"])
                .description
                == "l.csv has no column \"flair\"; its columns are \"\", \"..\" and \"a b\".")
        let long = String(repeating: "x", count: 100)
        #expect(
            SubjectListError.duplicateSubject(list: "l.csv", subject: long, lines: [2, 3]).description
                == "l.csv names the subject \"\(long.prefix(60))…\" on line 2 and again on line 3.")
    }

    private static let tokens = [
        "subject", "flair", "t1", "lesion", "wm", "a b", "\"a,b\"", "\"a\"\"b\"", "\"\n\"", "\r", "\r\n",
        "\n\n", "Ünï",
        "subject,flair", "/etc/passwd", "a/../b", String(repeating: "x,", count: 500),
    ]

    /// Quotes, line ends, a byte order mark, empty cells, names and paths beyond ASCII.
    private static func sound(_ random: inout SeededGenerator) -> [UInt8] {
        let end = random.one(of: ["\n", "\r\n", "\r"])
        func cell(_ text: String) -> String {
            random.once(in: 3) ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
        }
        let names = ["flair", "t1", "lesion", "wm", "Größe"].prefix(2 + random.below(4))
        var lines = [(["subject"] + names).map(cell).joined(separator: ",")]
        for row in 0..<(1 + random.below(6)) {
            let subject = random.one(of: ["sub-\(row)", "Jürgen \(row)", "患者\(row)", "a, \(row)"])
            let cells = names.map { random.once(in: 8) ? "" : "\($0)/\(row).nii.gz" }
            lines.append(
                ([subject.contains(",") ? "\"\(subject)\"" : subject] + cells.map(cell)).joined(
                    separator: ","))
            if random.once(in: 5) { lines.append("") }
        }
        let text = lines.joined(separator: end) + (random.once(in: 2) ? end : "")
        return Array(((random.once(in: 3) ? "\u{FEFF}" : "") + text).utf8)
    }

    private static func outcome(_ folder: TemporaryFolder, _ random: inout SeededGenerator) throws
        -> FuzzRun.Outcome
    {
        var bytes = sound(&random)
        let isSound = random.once(in: 10)
        if !isSound {
            for _ in 0...random.below(3) {
                if random.once(in: 2) {
                    Damage.text(&bytes, tokens: tokens, &random)
                } else {
                    Damage.bytes(&bytes, splicing: sound(&random), &random)
                }
            }
        }
        let path = try folder.write(bytes, to: "list.csv")
        do {
            let list = try SubjectList(reading: path)
            guard !list.rows.isEmpty, Set(list.rows.map(\.subject)).count == list.rows.count,
                list.rows.allSatisfy({ !$0.subject.isEmpty && $0.cells.count == list.columns.count })
            else { throw FuzzRun.Fault("a list with rows \(list.rows) was accepted") }
            let files = try list.files(
                modalities: ["flair"], reference: random.once(in: 2) ? "lesion" : nil, mask: nil)
            // The commands open what the list names.
            for subject in files.prefix(2) {
                do {
                    _ = try SubjectReader().read(subject)
                    throw FuzzRun.Fault("a volume that is not there was read")
                } catch let error as NIfTIError {
                    let names = [subject.images[0].path, subject.reference ?? path].map(oneLine)
                    if let fault = Sentence.fault(in: "\(error)", naming: names) {
                        throw FuzzRun.Fault(fault)
                    }
                }
            }
            return .accepted(isSound ? "sound" : "damaged")
        } catch let error as SubjectListError {
            if isSound {
                guard case .emptyCell = error else {
                    guard case .missingColumn = error else {
                        throw FuzzRun.Fault("a sound list was refused: \(error)")
                    }
                    return .refused(error, naming: [path])
                }
            }
            return .refused(error, naming: [path])
        }
    }
}
