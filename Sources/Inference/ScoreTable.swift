import Foundation
import Sampling

/// Scores of many subjects and classes, with their medians and interquartile ranges, as CSV and as text.
public struct ScoreTable: Sendable {
    /// The scores of one class of one subject.
    public struct Row: Sendable {
        /// The subject's name in its list.
        public let subject: String
        /// `1`, `2`, … or `foreground` for all classes but the background together.
        public let label: String
        /// How well the segmentation of the class agrees with the reference.
        public let scores: SegmentationScores
    }

    /// A row a subject and class, in the order in which they were added.
    public private(set) var rows: [Row] = []

    public init() {}

    /// Adds what `SegmentationScores.ofClasses` returns for a subject.
    public mutating func add(subject: String, scores: [SegmentationScores]) {
        for (index, one) in scores.enumerated() {
            let isForeground = scores.count > 1 && index == scores.count - 1
            rows.append(
                Row(subject: subject, label: isForeground ? "foreground" : "\(index + 1)", scores: one))
        }
    }

    /// Labels in the order in which they first occur.
    public var labels: [String] {
        rows.reduce(into: []) { found, row in
            if !found.contains(row.label) { found.append(row.label) }
        }
    }

    /// Scores of the whole foreground, subject by subject: those of class 1 where it is the only one.
    public var foreground: [SegmentationScores] {
        let label = labels.last
        return rows.filter { $0.label == label }.map(\.scores)
    }

    /// A column: its name, its value, and its number of decimals.
    struct Column: Sendable {
        let name: String
        let decimals: Int
        let value: @Sendable (SegmentationScores) -> Double?
    }

    static let columns: [Column] = [
        Column(name: "dsc", decimals: 4) { $0.dice },
        Column(name: "sensitivity", decimals: 4) { $0.sensitivity },
        Column(name: "precision", decimals: 4) { $0.precision },
        Column(name: "volume_difference", decimals: 4) { $0.volumeDifference },
        Column(name: "volume_difference_ml", decimals: 3) { $0.volumeDifferenceMillilitres },
        Column(name: "prediction_ml", decimals: 3) { $0.predictionMillilitres },
        Column(name: "reference_ml", decimals: 3) { $0.referenceMillilitres },
    ]

    /// Quartiles over the subjects for which the column has a value.
    /// - Parameter column: `dsc`, `sensitivity`, `precision`, `volume_difference`, … as in the file.
    public func quartiles(of column: String, label: String) -> Quartiles? {
        guard let column = Self.columns.first(where: { $0.name == column }) else { return nil }
        return Quartiles(of: rows.filter { $0.label == label }.compactMap { column.value($0.scores) })
    }

    /// The names of the columns of ``csv``.
    public static let header = (["subject", "class"] + columns.map(\.name)).joined(separator: ",")

    /// A line a subject and class. Undefined values are empty fields; numbers are written so that reading
    /// them back gives the same value.
    public var csvRows: [String] {
        rows.map { row in line(row.subject, row.label) { $0.value(row.scores) } }
    }

    /// The header, then ``csvRows``.
    public var csv: String { ([Self.header] + csvRows).joined(separator: "\n") + "\n" }

    /// A header that begins with `statistic` where ``csv`` has `subject`, then for each class the rows
    /// `median`, `lower_quartile` and `upper_quartile`.
    public var summaryCSV: String {
        let summaries = labels.flatMap { label in
            [
                line("median", label) { quartiles(of: $0.name, label: label)?.median },
                line("lower_quartile", label) { quartiles(of: $0.name, label: label)?.lower },
                line("upper_quartile", label) { quartiles(of: $0.name, label: label)?.upper },
            ]
        }
        let header = (["statistic", "class"] + Self.columns.map(\.name)).joined(separator: ",")
        return ([header] + summaries).joined(separator: "\n") + "\n"
    }

    private func line(_ subject: String, _ label: String, _ value: (Column) -> Double?) -> String {
        CSVTable.line([subject, label] + Self.columns.map { value($0).map { "\($0)" } ?? "" })
    }

    /// A table to print: a row a subject and class, then median (interquartile range) a class.
    public var text: String {
        var table = TextTable(
            headers: [["subject", "class"] + Self.columns.map(\.name)], alignments: [.left, .left])
        for row in rows {
            table.rows.append(
                [row.subject, row.label]
                    + Self.columns.map { column in
                        column.value(row.scores).map { Self.fixed($0, column.decimals) } ?? "-"
                    })
        }
        for label in labels {
            table.rows.append(
                ["median (IQR)", label]
                    + Self.columns.map { column in
                        quartiles(of: column.name, label: label).map {
                            Self.fixed($0.median, column.decimals)
                                + " (\(Self.fixed($0.interquartileRange, column.decimals)))"
                        } ?? "-"
                    })
        }
        return table.lines.map { $0 + "\n" }.joined()
    }

    private static func fixed(_ value: Double, _ decimals: Int) -> String {
        String(format: "%.\(decimals)f", value)
    }
}
