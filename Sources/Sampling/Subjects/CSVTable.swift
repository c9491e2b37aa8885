/// A comma-separated table (RFC 4180): quoted fields, doubled quotes, either line end, an optional byte order mark.
struct CSVTable {
    struct Row {
        /// The line on which the row begins, counted from 1.
        let line: Int
        let fields: [String]
    }

    /// A quoted field that does not end; `line` is where it begins.
    struct UnclosedQuote: Error {
        let line: Int
    }

    let rows: [Row]

    /// Reads the rows; rows without any text are left out, and so is white space around an unquoted field.
    init(parsing text: String) throws(UnclosedQuote) {
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
            if fields.contains(where: { !$0.isEmpty }) {
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

    /// One row as text, fields quoted where they must be.
    static func line(_ fields: [String]) -> String {
        fields.map { field in
            let isPlain = !field.contains { ",\"\r\n".contains($0) } && field == trimmed(field)
            return isPlain ? field : "\"" + field.replacing("\"", with: "\"\"") + "\""
        }.joined(separator: ",")
    }
}

private func trimmed(_ text: String) -> String {
    var part = Substring(text)
    while part.first?.isWhitespace == true { part.removeFirst() }
    while part.last?.isWhitespace == true { part.removeLast() }
    return String(part)
}
