/// Columns of text aligned to the right, two spaces apart.
struct TextTable {
    /// Lines above the rows, each with a cell a column.
    var headers: [[String]]
    var rows: [[String]] = []

    var lines: [String] {
        let all = headers + rows
        let columns = all.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return all.map { row in
            zip(row, widths).map { cell, width in
                String(repeating: " ", count: width - cell.count) + cell
            }
            .joined(separator: "  ")
        }
    }
}
