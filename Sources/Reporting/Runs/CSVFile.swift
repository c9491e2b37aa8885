import Foundation

/// A CSV file of a run, with a header. A last row that a killed program has left half written is passed over.
struct CSVFile {
    let path: String
    private let columns: [String]
    private let rows: [(line: Int, fields: [String])]

    /// - Returns: nil where there is no such file.
    /// - Throws: ``ReportError/damagedRow(path:line:found:)`` for a row with more or fewer fields than the header.
    init?(path: String) throws(ReportError) {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let text = String(decoding: data, as: UTF8.self)
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        columns = lines.first.map { Self.fields(of: $0) } ?? []
        var rows: [(line: Int, fields: [String])] = []
        // Behind the last line break stands nothing, or what was being written.
        for (index, line) in lines.enumerated().dropFirst().dropLast() where !line.isEmpty {
            let fields = Self.fields(of: line)
            guard fields.count == columns.count else {
                throw .damagedRow(
                    path: path, line: index + 1, found: "\(fields.count) of \(columns.count) fields")
            }
            rows.append((index + 1, fields))
        }
        self.rows = rows
        self.path = path
    }

    var rowCount: Int { rows.count }

    /// The cells of a column, from the top.
    /// - Throws: ``ReportError/missingColumn(path:column:columns:)``.
    func texts(_ column: String) throws(ReportError) -> [String] {
        guard let index = columns.firstIndex(of: column) else {
            throw .missingColumn(path: path, column: column, columns: columns)
        }
        return rows.map { $0.fields[index] }
    }

    /// The cells of a column as numbers; NaN where one is empty.
    /// - Parameter range: which numbers can stand there; NaN can everywhere.
    /// - Throws: ``ReportError/missingColumn(path:column:columns:)``, and ``ReportError/damagedRow(path:line:found:)`` for
    ///   what is no such number.
    func numbers(
        _ column: String, in range: ClosedRange<Double> = -.infinity ... .infinity
    ) throws(ReportError) -> [Double] {
        var numbers: [Double] = []
        for (row, text) in zip(rows, try texts(column)) {
            guard let number = text.isEmpty ? .nan : Double(text), number.isNaN || range.contains(number)
            else {
                throw .damagedRow(path: path, line: row.line, found: "'\(text.prefix(40))' as \(column)")
            }
            numbers.append(number)
        }
        return numbers
    }

    /// The cells of a column as whole numbers.
    /// - Throws: As ``numbers(_:in:)``.
    func integers(_ column: String) throws(ReportError) -> [Int] {
        var numbers: [Int] = []
        for (row, text) in zip(rows, try texts(column)) {
            guard let number = Int(text), number >= 0 else {
                throw .damagedRow(path: path, line: row.line, found: "'\(text.prefix(40))' as \(column)")
            }
            numbers.append(number)
        }
        return numbers
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
