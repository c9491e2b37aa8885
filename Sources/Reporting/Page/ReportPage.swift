/// A report as one page of HTML that needs no other file and runs no script.
struct ReportPage {
    private let report: RunReport

    init(_ report: RunReport) { self.report = report }

    var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(escaped(report.title))</title>
        <style>
        \(StyleSheet.page)
        </style>
        </head>
        <body>
        <main>
        <header>
        <h1>\(escaped(report.title))</h1>
        <nav aria-label="Sections">\(sections.map { "<a href=\"#\($0.id)\">\($0.title)</a>" }.joined(separator: "\n"))</nav>
        </header>
        \(sections.map(\.html).joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
    }

    private struct Section {
        let id: String
        let title: String
        let body: [String]

        var html: String {
            "<section id=\"\(id)\">\n<h2>\(title)</h2>\n\(body.joined(separator: "\n"))\n</section>"
        }
    }

    private var sections: [Section] {
        var sections = [
            Section(
                id: "what", title: "What was run", body: [facts, table(report.tables[0]), configuration]),
            Section(
                id: "dsc", title: "DSC at the end of training",
                body: report.tables.dropFirst().map(table) + report.figures.filter(isOfTraining).map(figure)),
            Section(
                id: "held-out", title: "Held-out subjects",
                body: heldOut),
            Section(id: "curves", title: "Training curves", body: report.curves.map(figure)),
        ]
        if !report.failures.isEmpty {
            let items = report.failures.map {
                "<li><code>\(escaped($0.run))</code>: \(escaped($0.reason))</li>"
            }
            sections.append(
                Section(
                    id: "failures", title: "Failed runs",
                    body: ["<ul>\(items.joined(separator: "\n"))</ul>"]))
        }
        return sections.filter { !$0.body.isEmpty }
    }

    /// Figures 3 and 4, or why they are missing.
    private var heldOut: [String] {
        let drawn = report.figures.filter { !isOfTraining($0) }.map { ($0.number, figure($0)) }
        let missing = report.missing.map { ($0.number, missingFigure($0)) }
        return (drawn + missing).sorted { $0.0 < $1.0 }.map(\.1)
    }

    private func isOfTraining(_ figure: Figure) -> Bool {
        figure.number == "Figure 1" || figure.number == "Figure 2"
    }

    // MARK: Parts

    private var facts: String {
        let rows = report.facts.map {
            "<tr><th scope=\"row\">\(escaped($0.name))</th><td>\(escaped($0.value))</td></tr>"
        }
        return
            "<div class=\"table\"><table class=\"facts\"><tbody>\n\(rows.joined(separator: "\n"))\n</tbody></table></div>"
    }

    private var configuration: String {
        let lines = RunFacts.commonConfiguration(report.comparison).map { "\($0.key): \($0.text)" }
        guard !lines.isEmpty else { return "" }
        return """
            <details><summary>Configuration that all runs share</summary>
            <pre>\(escaped(lines.joined(separator: "\n")))</pre></details>
            """
    }

    private func figure(_ figure: Figure) -> String {
        """
        <figure>
        <div class="scroll">\(figure.inlineSVG)</div>
        <figcaption><b>\(figure.number). \(escaped(figure.title)).</b> \(escaped(figure.caption))</figcaption>
        </figure>
        """
    }

    private func missingFigure(_ figure: MissingFigure) -> String {
        "<p class=\"missing-figure\"><b>\(figure.number). \(escaped(figure.title))</b> is missing. "
            + "\(escaped(figure.reason))</p>"
    }

    private func table(_ table: Table) -> String {
        let begins = table.groupBegins
        let id = table.number.lowercased().replacing(" ", with: "-")
        let rows = table.rows.enumerated().map { index, row in
            let previous = index > 0 ? table.rows[index - 1].headings.first : nil
            let isFirst = previous != nil && previous != row.headings.first
            let headings = row.headings.enumerated().map { column, text in
                column == 0 && previous == text
                    ? "<th></th>" : "<th scope=\"row\">\(escaped(text))</th>"
            }
            let cells = row.cells.enumerated().map { cell($1, begins: begins.contains($0)) }
            return "<tr\(isFirst ? " class=\"first\"" : "")>\((headings + cells).joined())</tr>"
        }
        return """
            <figure class="table">
            <figcaption id="\(id)"><b>\(table.number).</b> \(escaped(table.caption))</figcaption>
            <div class="scroll"><table aria-labelledby="\(id)">
            <thead>\(head(table))</thead>
            <tbody>
            \(rows.joined(separator: "\n"))
            </tbody>
            </table></div>
            </figure>
            """
    }

    private func head(_ table: Table) -> String {
        let names = table.headings.map { "<th scope=\"col\" class=\"name\">\(escaped($0))</th>" }
        let begins = table.groupBegins
        let columns = table.columns.enumerated().map { index, title in
            "<th scope=\"col\"\(begins.contains(index) ? " class=\"begin\"" : "")>\(escaped(title))</th>"
        }
        let last = "<tr>\((names + columns).joined())</tr>"
        guard !table.groups.isEmpty else { return last }
        let groups = table.groups.map {
            "<th scope=\"colgroup\" class=\"group\" colspan=\"\($0.columns)\">\(escaped($0.title))</th>"
        }
        return "<tr><td colspan=\"\(names.count)\"></td>\(groups.joined())</tr>\n\(last)"
    }

    private func cell(_ cell: Table.Cell, begins: Bool) -> String {
        let title = cell.note.map { " title=\"\(escaped($0))\"" } ?? ""
        let classes = [
            cell.isBest ? "best" : nil, cell.note != nil ? "missing" : nil, begins ? "begin" : nil,
        ].compactMap { $0 }
        let style = classes.isEmpty ? "" : " class=\"\(classes.joined(separator: " "))\""
        return "<td\(style)\(title)>\(escaped(cell.text))</td>"
    }

    private func escaped(_ text: String) -> String { Drawing.escaped(text) }
}
