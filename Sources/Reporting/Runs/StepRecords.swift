/// What a run's `metrics.csv` holds, a value a recorded step.
public struct StepRecords: Sendable, Equatable {
    /// Ascending, from 1.
    public let steps: [Int]
    /// The loss that was trained, of the global batch.
    public let loss: [Double]
    /// Hard DSC of the foreground.
    public let dice: [Double]
    /// Share of foreground in the effective patches, 0...1.
    public let imbalance: [Double]
    /// Wall time of each step in seconds.
    public let seconds: [Double]

    /// - Throws: ``ReportError`` where the file, a column or every row is missing, or a row is damaged.
    public init(contentsOf path: String, folder: String) throws(ReportError) {
        guard let file = try CSVFile(path: path) else {
            throw .noRun(folder: folder, missing: "metrics.csv")
        }
        guard file.rowCount > 0 else { throw .noRows(path: path) }
        steps = try file.integers("step")
        loss = try file.numbers("loss")
        dice = try file.numbers("dsc", in: 0...1)
        imbalance = try file.numbers("imbalance", in: 0...1)
        seconds = try file.numbers("step_seconds", in: 0 ... .infinity)
    }

    init(steps: [Int], loss: [Double], dice: [Double], imbalance: [Double], seconds: [Double]) {
        (self.steps, self.loss, self.dice) = (steps, loss, dice)
        (self.imbalance, self.seconds) = (imbalance, seconds)
    }

    /// The records of the last `count` steps; fewer where not every step was recorded.
    func last(_ count: Int) -> Range<Int> {
        let first = (steps.last ?? 0) - count
        return (steps.firstIndex { $0 > first } ?? steps.endIndex)..<steps.endIndex
    }
}
