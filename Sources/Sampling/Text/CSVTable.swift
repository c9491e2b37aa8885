/// A comma-separated table (RFC 4180): quoted fields, doubled quotes, either line end, an optional byte order
/// mark.
///
/// The one reader and writer of such files: subject lists, and what runs and reports record.
public struct CSVTable: Sendable {
    public struct Row: Sendable, Equatable {
        /// The line on which the row begins, counted from 1.
        public let line: Int
        public let fields: [String]

        /// Whether any field holds something: spreadsheets leave rows of commas behind.
        public var hasText: Bool { fields.contains { !$0.isEmpty } }
    }

    /// A quoted field that does not end; `line` is where it begins.
    public struct UnclosedQuote: Error {
        public let line: Int
    }

    public let rows: [Row]

    /// Reads the rows. Lines without a field are left out, and so is white space around an unquoted field.
    public init(parsing text: String) throws(UnclosedQuote) {
        var rows: [Row] = []
        var fields: [String] = []
        var field = ""
        var wasQuoted = false
        var isQuoted = false
        var line = 1
        var rowLine = 1
        var quoteLine = 1

        func endField() {
            fields.append(wasQuoted ? field : trimmed(field))
            field = ""
            wasQuoted = false
        }
        func endRow() {
            endField()
            if fields != [""] {
                rows.append(Row(line: rowLine, fields: fields))
            }
            fields = []
        }

        var characters = Substring(text).unicodeScalars
        if characters.first == "\u{FEFF}" { characters.removeFirst() }
        while let character = characters.popFirst() {
            if isQuoted {
                if character == "\n" { line += 1 }
                if character != "\"" {
                    field.unicodeScalars.append(character)
                } else if characters.first == "\"" {
                    characters.removeFirst()
                    field.append("\"")
                } else {
                    isQuoted = false
                }
                continue
            }
            switch character {
            case "\"" where trimmed(field).isEmpty && !wasQuoted:
                field = ""
                isQuoted = true
                wasQuoted = true
                quoteLine = line
            case ",":
                endField()
            case "\r" where characters.first == "\n":
                break
            case "\n", "\r":
                endRow()
                line += 1
                rowLine = line
            case " " where wasQuoted, "\t" where wasQuoted:
                break
            default:
                field.unicodeScalars.append(character)
            }
        }
        if isQuoted { throw UnclosedQuote(line: quoteLine) }
        endRow()
        self.rows = rows
    }

    /// One row as text without its line end, fields quoted where they must be.
    public static func line(_ fields: [String]) -> String {
        fields.map { field in
            // Scalars: CR LF is one character, and so is a quote with an accent.
            let scalars = field.unicodeScalars
            let isPlain =
                !scalars.contains { ",\"\r\n".unicodeScalars.contains($0) } && field == trimmed(field)
            guard !isPlain else { return field }
            var quoted = "\""
            for scalar in scalars {
                if scalar == "\"" { quoted.unicodeScalars.append(scalar) }
                quoted.unicodeScalars.append(scalar)
            }
            return quoted + "\""
        }.joined(separator: ",")
    }
}

extension CSVTable {
    /// Rows as the text of a file, each with its line end.
    public static func text(_ rows: [[String]]) -> String { rows.map { line($0) + "\n" }.joined() }
}

private func trimmed(_ text: String) -> String {
    var part = Substring(text)
    while part.first?.isWhitespace == true { part.removeFirst() }
    while part.last?.isWhitespace == true { part.removeLast() }
    return String(part)
}
