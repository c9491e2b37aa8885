/// Rows of text whose columns are aligned, two spaces apart: the one way in which commands print tables.
public struct TextTable: Sendable {
    public enum Alignment: Sendable { case left, right }

    /// Of the columns, from the first on; those beyond are aligned to the right, as numbers are.
    public var alignments: [Alignment]
    /// Lines above the rows, each with a cell a column.
    public var headers: [[String]]
    public var rows: [[String]] = []

    public init(headers: [[String]] = [], alignments: [Alignment] = []) {
        (self.headers, self.alignments) = (headers, alignments)
    }

    /// A line a row, headers first, without spaces at its end.
    public var lines: [String] {
        let all = headers + rows
        let columns = all.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return all.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                let isLeft = column < alignments.count && alignments[column] == .left
                return isLeft ? cell + space : space + cell
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
