import Foundation
import Inference

/// `held_out.csv`: a header, and for each scoring a row a held-out subject and class. The file is always
/// whole: it is replaced at each scoring.
public final class HeldOutLog {
    public static let header = "step," + ScoreTable.header

    private let path: String
    private var rows: [(step: Int, text: String)] = []
    /// Whether the file lacks some of the rows.
    private var isBehind = false

    /// Reads what is there. Rows of later steps, which the steps to come write again, are removed.
    /// - Parameter step: The last step whose rows stay: that of the checkpoint, 0 for a new run.
    /// - Throws: ``FileError``, also where a file that is there cannot be read: its rows are not given up.
    public init(path: String, keepingThrough step: Int) throws {
        self.path = path
        guard let text = try RecordFile.text(path) else { return }
        rows = text.split(separator: "\n").dropFirst().compactMap { row in
            row.prefix { $0 != "," }.wholeMatch(of: /[0-9]+/).flatMap { Int($0.0) }
                .map { ($0, String(row)) }
        }
        guard rows.contains(where: { $0.step > step }) else { return }
        rows.removeAll { $0.step > step }
        try write()
    }

    /// Whether the scores of a step are there.
    public func holds(step: Int) -> Bool { rows.contains { $0.step == step } }

    /// Adds the scores of a step, in place of such that are there.
    /// - Throws: ``FileError``; the file is then as it was, and the scores stay in memory.
    public func append(step: Int, _ table: ScoreTable) throws {
        rows.removeAll { $0.step == step }
        rows += table.csvRows.map { (step, "\(step),\($0)") }
        try write()
    }

    /// Writes the scores that could not be written before.
    /// - Throws: ``FileError``.
    public func flush() throws { if isBehind { try write() } }

    private func write() throws {
        isBehind = true
        try AtomicFile.write(
            path, text: ([Self.header] + rows.map(\.text)).joined(separator: "\n") + "\n")
        isBehind = false
    }
}
