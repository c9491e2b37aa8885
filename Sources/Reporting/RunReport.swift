import Foundation
import RunFiles

/// What runs that differ in network, patch, learning rate and loss have come to: tables, figures and a page.
///
/// ```swift
/// let runs = try folders.map { ComparedRun(try RunRecord(folder: $0)) }
/// try RunReport(title: "Two losses", comparison: Comparison(runs)).write(to: "report")
/// ```
public struct RunReport: Sendable {
    /// A line of what is said about the runs as a whole.
    public struct Fact: Sendable, Equatable {
        /// What the line is about, as in "Subjects".
        public let name: String
        /// What is said about it, in words.
        public let value: String

        public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
    }

    /// What Figure 4 is made of.
    public enum Slices: Sendable {
        case slices(SliceComparison)
        /// The reason why there are none, one sentence.
        case missing(String)
        /// Not spoken of.
        case left
    }

    /// The page's heading.
    public let title: String
    /// The runs, and what they are compared by.
    public let comparison: Comparison
    let facts: [Fact]
    let tables: [Table]
    /// The paper's, in order.
    let figures: [Figure]
    let missing: [MissingFigure]
    /// Of the training, a network's after the other's.
    let curves: [Figure]

    /// - Parameters:
    ///   - facts: said besides what the runs themselves tell, such as how many subjects there are.
    ///   - slices: for Figure 4.
    public init(title: String, comparison: Comparison, facts: [Fact] = [], slices: Slices = .left) {
        self.title = title
        self.comparison = comparison
        self.facts = facts + RunFacts.make(comparison)
        tables =
            [PatchTable.make(comparison)]
            + [2, 3].compactMap { DiceTable.make(comparison, dimensions: $0) }
        var figures = [2, 3].compactMap { IsolineFigure.make(comparison, dimensions: $0) }
        var missing: [MissingFigure] = []
        if let boxes = BoxPlotFigure.make(comparison) {
            figures.append(boxes)
        } else {
            missing.append(
                MissingFigure(
                    number: BoxPlotFigure.number, title: BoxPlotFigure.title,
                    reason: "No finished run has scores of held-out subjects (held_out.csv)."))
        }
        switch slices {
        case .slices(let slices): figures.append(SliceFigure.make(slices))
        case .missing(let reason):
            missing.append(
                MissingFigure(number: SliceFigure.number, title: SliceFigure.title, reason: reason))
        case .left: break
        }
        self.figures = figures
        self.missing = missing
        var curves: [Figure] = []
        for network in comparison.networks {
            for make in [CurvesFigure.dice, CurvesFigure.loss] {
                if let figure = make(comparison, network, "Figure \(5 + curves.count)") {
                    curves.append(figure)
                }
            }
        }
        self.curves = curves
    }

    /// Runs without a result, with the reason.
    var failures: [(run: String, reason: String)] {
        comparison.runs.compactMap { run in
            if case .failed(let reason, _) = run.outcome { (run.name, reason) } else { nil }
        }
    }

    /// Writes `index.html`, which needs no other file, `report.md`, `runs.csv`, `held_out.csv` and a `.svg` a
    /// figure.
    /// - Parameter folder: made where it is missing; files of these names are replaced.
    /// - Returns: the path of the page.
    /// - Throws: ``FileError``.
    @discardableResult
    public func write(to folder: String) throws -> String {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError("the folder '\(folder)' could not be made", foundation: error)
        }
        // The first, by which the folder is known for a report.
        try AtomicFile.write(folder + "/runs.csv", text: RunTable.csv(comparison))
        for figure in figures + curves {
            try AtomicFile.write("\(folder)/\(figure.name).svg", text: figure.svg)
        }
        try AtomicFile.write(folder + "/held_out.csv", text: HeldOutTable.csv(comparison))
        try AtomicFile.write(folder + "/report.md", text: markdown)
        let page = folder + "/index.html"
        try AtomicFile.write(page, text: ReportPage(self).html)
        return page
    }

    /// Tables, and the figures' files by their captions.
    var markdown: String {
        var parts = ["# \(title)"] + tables.map(\.markdown)
        parts += (figures + curves).map {
            "![\($0.number)](\($0.name).svg)\n\n**\($0.number). \($0.title).** \($0.caption)"
        }
        parts += missing.map { "**\($0.number). \($0.title).** Missing: \($0.reason)" }
        if !failures.isEmpty {
            parts.append(
                "## Failed runs\n\n"
                    + failures.map { "- `\($0.run)`: \($0.reason)" }.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n").replacing("\n\n\n", with: "\n\n") + "\n"
    }
}
