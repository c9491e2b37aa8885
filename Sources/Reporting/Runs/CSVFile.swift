import Foundation

/// A CSV file with a header. Rows that a killed program has left half written are passed over.
struct CSVFile {
    let path: String
    private let columns: [String]
    private let rows: [[String]]

    /// - Returns: nil where there is no such file.
    init?(path: String) {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
        columns = lines.first.map { Self.fields(of: $0) } ?? []
        let width = columns.count
        rows = lines.dropFirst().map { Self.fields(of: $0) }.filter { $0.count == width }
        self.path = path
    }

    var rowCount: Int { rows.count }

    /// The cells of a column, from the top.
    /// - Throws: ``ReportError/missingColumn(path:column:columns:)``.
    func texts(_ column: String) throws(ReportError) -> [String] {
        guard let index = columns.firstIndex(of: column) else {
            throw .missingColumn(path: path, column: column, columns: columns)
        }
        return rows.map { $0[index] }
    }

    /// The cells of a column as numbers; NaN where one is none.
    /// - Throws: ``ReportError/missingColumn(path:column:columns:)``.
    func numbers(_ column: String) throws(ReportError) -> [Double] {
        try texts(column).map { Double($0) ?? .nan }
    }

    /// One line cut at its commas; those inside quotes belong to the field.
    static func fields(of line: some StringProtocol) -> [String] {
        var fields = [""]
        var isQuoted = false
        var previous: Character = ","
        for character in line {
            switch character {
            case "\"":
                // The second of two is a quote itself.
                if !isQuoted, previous == "\"" { fields[fields.count - 1].append("\"") }
                isQuoted.toggle()
            case "," where !isQuoted: fields.append("")
            default: fields[fields.count - 1].append(character)
            }
            previous = character
        }
        return fields
    }

    /// One line, fields quoted where they must be.
    static func line(_ fields: [String]) -> String {
        fields.map { field in
            field.contains { ",\"\r\n".contains($0) } ? "\"\(field.replacing("\"", with: "\"\""))\"" : field
        }.joined(separator: ",")
    }
}
