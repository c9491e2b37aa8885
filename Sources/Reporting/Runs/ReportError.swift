/// What a report cannot be made of.
public enum ReportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The folder is no run: the file is missing.
    case noRun(folder: String, missing: String)
    /// A CSV file without a column that it must have.
    case missingColumn(path: String, column: String, columns: [String])
    /// A CSV file without a whole row.
    case noRows(path: String)
    /// A row of a CSV file that the program cannot have written there.
    case damagedRow(path: String, line: Int, found: String)
    /// There is no run at all.
    case nothing

    /// One sentence.
    public var description: String {
        switch self {
        case .noRun(let folder, let missing):
            "'\(folder)' is no run that was trained: it holds no \(missing)."
        case .missingColumn(let path, let column, let columns):
            "'\(path)' has no column '\(column)'; its columns are \(columns.joined(separator: ", "))."
        case .noRows(let path):
            "'\(path)' holds no whole row under its header."
        case .damagedRow(let path, let line, let found):
            "Line \(line) of '\(path)' is damaged, with \(found): restore or remove that line."
        case .nothing:
            "A report needs at least one run, and there is none."
        }
    }
}
