/// A table as it is written to Markdown and HTML.
struct Table {
    struct Cell: Equatable {
        var text: String
        var isBest = false
        /// What stands behind a cell without a number.
        var note: String?
    }

    /// A heading over some columns.
    struct Group: Equatable {
        var title: String
        var columns: Int
    }

    /// "Table 3".
    var number: String
    var caption: String
    /// Columns on the left that name a row.
    var headings: [String]
    /// Groups of the other columns, in order; none where their titles say all.
    var groups: [Group] = []
    /// Titles of the other columns.
    var columns: [String]
    var rows: [Row] = []

    struct Row: Equatable {
        var headings: [String]
        var cells: [Cell]
    }

    /// The columns at which a group begins, but the first.
    var groupBegins: Set<Int> {
        var begin = 0
        return Set(
            groups.dropLast().map { group in
                begin += group.columns
                return begin
            })
    }

    /// GitHub's table. A group's title is repeated in its columns, since a column has one title there; what a
    /// row repeats of the row above stays empty.
    var markdown: String {
        var titles = columns
        var column = 0
        for group in groups {
            for index in column..<column + group.columns { titles[index] = "\(group.title) \(titles[index])" }
            column += group.columns
        }
        var lines = [
            Self.line(headings + titles),
            Self.line(headings.map { _ in "---" } + titles.map { _ in "---:" }),
        ]
        for row in rows {
            lines.append(
                Self.line(row.headings + row.cells.map { $0.isBest ? "**\($0.text)**" : $0.text }))
        }
        return "**\(number).** \(caption)\n\n" + lines.joined(separator: "\n") + "\n"
    }

    private static func line(_ fields: [String]) -> String {
        "| " + fields.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
}
