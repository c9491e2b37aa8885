import RunFiles

/// What a run's `held_out.csv` holds of the last step that it scores: the DSC of each held-out subject.
public struct HeldOutRecord: Sendable, Equatable {
    /// How well one held-out subject was segmented.
    public struct Score: Sendable, Equatable {
        /// The subject's name in its list.
        public let subject: String
        /// 0...1.
        public let dice: Double

        public init(subject: String, dice: Double) { (self.subject, self.dice) = (subject, dice) }
    }

    /// Optimiser steps done when they were scored.
    public let step: Int
    /// A score a subject, in the order of the file.
    public let scores: [Score]

    /// Reads the rows of the whole foreground, or of class 1 where the file has no others.
    /// - Returns: nil where there is no file, or none of its rows has a score.
    /// - Throws: ``ReportError`` where a column is missing or a row is damaged.
    public init?(contentsOf path: String) throws(ReportError) {
        guard let file = try CSVFile(path: path) else { return nil }
        let steps = try file.integers("step")
        let subjects = try file.texts("subject")
        let classes = try file.texts("class")
        let dice = try file.numbers("dsc", in: 0...1)
        guard let last = steps.max() else { return nil }
        let label = classes.contains("foreground") ? "foreground" : "1"
        let rows = steps.indices.filter { steps[$0] == last && classes[$0] == label && dice[$0].isFinite }
        guard !rows.isEmpty else { return nil }
        self.init(step: last, scores: rows.map { Score(subject: subjects[$0], dice: dice[$0]) })
    }

    /// - Parameter scores: of at least one subject.
    public init(step: Int, scores: [Score]) { (self.step, self.scores) = (step, scores) }

    /// Their mean, median and quartiles.
    var summary: HeldOutScores { HeldOutScores(scores.map(\.dice), step: step) }
}
