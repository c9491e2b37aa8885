/// What is wrong with a subject list.
public enum SubjectListError: Error, Hashable, Sendable, CustomStringConvertible {
    case missing(list: String)
    case folder(list: String)
    case notText(list: String)
    case empty(list: String)
    case unclosedQuote(list: String, line: Int)
    case duplicateColumn(list: String, column: String)
    case missingColumn(list: String, column: String, columns: [String])
    case fieldCount(list: String, line: Int, found: Int, expected: Int)
    case emptyCell(list: String, line: Int, column: String)
    /// A name that cannot be that of files; see `SubjectName.fault(of:)`.
    case badName(list: String, line: Int, subject: String, fault: String)
    case duplicateSubject(list: String, subject: String, lines: [Int])
    case notWritten(list: String, reason: String)

    public var description: String { oneLine(sentence) }

    private var sentence: String {
        switch self {
        case .missing(let list):
            return "There is no subject list \(list)."
        case .folder(let list):
            let example = PathKind.example(in: list, [".csv"]).map { ", such as \($0)" } ?? ""
            return
                "The subject list \(list) is a folder; a CSV file with a header and a row for each subject is "
                + "expected\(example)."
        case .notText(let list):
            return "The subject list \(list) cannot be read as UTF-8 text."
        case .empty(let list):
            return
                "The subject list \(list) holds no subjects; a header and a row for each subject are expected."
        case .unclosedQuote(let list, let line):
            return "Line \(line) of \(list) opens a quoted field that never ends."
        case .duplicateColumn(let list, let column):
            return "The header of \(list) names the column \"\(excerpt(column))\" twice."
        case .missingColumn(let list, let column, let columns):
            let nearest = nearestName(to: column, in: columns).map { " (nearest: \"\(excerpt($0))\")" } ?? ""
            return
                "\(list) has no column \"\(excerpt(column))\"\(nearest); its columns are \(shown(columns))."
        case .fieldCount(let list, let line, let found, let expected):
            return "Line \(line) of \(list) has \(counted(found, "field")), and its header has \(expected)."
        case .emptyCell(let list, let line, let column):
            return "Line \(line) of \(list) has nothing in the column \"\(excerpt(column))\"."
        case .badName(let list, let line, let subject, let fault):
            // What ends lines or moves a cursor is not printed.
            let shown = String(subject.unicodeScalars.map { SubjectName.isControl($0) ? " " : Character($0) })
            return "Line \(line) of \(list) names the subject \"\(excerpt(shown, letters: 80))\", \(fault)."
        case .duplicateSubject(let list, let subject, let lines):
            return
                "\(list) names the subject \"\(excerpt(subject))\" on line \(lines[0]) and again on line \(lines[1])."
        case .notWritten(let list, let reason):
            return "The subject list \(list) could not be written: \(reason)."
        }
    }
}

/// Names of columns, of which a damaged header can have thousands.
private func shown(_ columns: [String]) -> String {
    let most = 8
    let names = columns.prefix(most).map { name in
        let isPlain =
            !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
        return isPlain && name.count <= 20 ? name : "\"\(excerpt(name, letters: 20))\""
    }
    return columns.count > most ? listed(names + ["\(columns.count - most) more"]) : listed(names)
}
