import Foundation
import Sampling

/// A CSV file of a run, with a header. A last row that a killed program has left half written is passed over.
struct CSVFile {
    let path: String
    private let columns: [String]
    private let rows: [CSVTable.Row]

    /// - Returns: nil where there is no such file.
    /// - Throws: ``ReportError/damagedRow(path:line:found:)`` for a row with more or fewer fields than the
    ///   header, and for a quoted field that does not end.
    init?(path: String) throws(ReportError) {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let text = String(decoding: data, as: UTF8.self)
        // Behind the last line break stands nothing, or what was being written.
        let whole = text.lastIndex(where: \.isNewline).map { text[...$0] } ?? ""
        let table: CSVTable
        do {
            table = try CSVTable(parsing: String(whole))
        } catch {
            throw .damagedRow(path: path, line: error.line, found: "a quoted field that does not end")
        }
        columns = table.rows.first?.fields ?? []
        rows = Array(table.rows.dropFirst())
        for row in rows where row.fields.count != columns.count {
            throw .damagedRow(
                path: path, line: row.line, found: "\(row.fields.count) of \(columns.count) fields")
        }
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
    /// - Throws: ``ReportError/missingColumn(path:column:columns:)``, and
    ///   ``ReportError/damagedRow(path:line:found:)`` for what is no such number.
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
}
