import Foundation
import Sampling

/// What is recorded of a step; of the global batch, so equal on all ranks.
public struct StepMetrics: Sendable, Equatable {
    /// From 1.
    public var step: Int
    public var loss: Double
    /// The Generalised Dice loss of the step, whatever loss is trained.
    public var generalisedDice: Double
    /// Hard DSC of the foreground.
    public var dice: Double
    /// Share of foreground in the batch.
    public var imbalance: Double
    public var learningRate: Double
    public var stepSeconds: Double
    /// Waiting for patches.
    public var dataSeconds: Double
    /// Not hidden behind computation.
    public var communicationSeconds: Double
    /// Input voxels of all ranks.
    public var voxelsPerSecond: Double

    public init(
        step: Int, loss: Double, generalisedDice: Double, dice: Double, imbalance: Double,
        learningRate: Double,
        stepSeconds: Double, dataSeconds: Double, communicationSeconds: Double, voxelsPerSecond: Double
    ) {
        self.step = step
        self.loss = loss
        self.generalisedDice = generalisedDice
        self.dice = dice
        self.imbalance = imbalance
        self.learningRate = learningRate
        self.stepSeconds = stepSeconds
        self.dataSeconds = dataSeconds
        self.communicationSeconds = communicationSeconds
        self.voxelsPerSecond = voxelsPerSecond
    }
}

/// `metrics.csv`: a header and a row a recorded step, each in the file before the next step.
public final class MetricsLog {
    public static let header =
        "step,loss,gdl,dsc,imbalance,learning_rate,step_seconds,data_seconds,communication_seconds,"
        + "voxels_per_second"

    /// The DSC of the rows that were kept, oldest first.
    public let keptDice: [Double]
    /// A sentence about rows up to the step at hand that cannot be read or are not there; nil where all are.
    public let loss: String?
    private let file: RecordFile

    /// Opens the file. Rows of later steps, which the steps to come write again, and broken ones are removed.
    /// - Parameters:
    ///   - step: the last step whose row stays: that of the checkpoint, 0 for a new run.
    ///   - every: steps from one row to the next.
    /// - Throws: ``FileError``, also where a file that is there cannot be read: its rows are not given up.
    public init(path: String, keepingThrough step: Int, every: Int = 1) throws {
        var kept: [(text: Substring, step: Int, dice: Double)] = []
        var damaged: [Int] = []
        if step > 0, let text = try RecordFile.text(path) {
            let columns = Self.header.split(separator: ",").count
            // Behind the last line break stands nothing, or what was being written.
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            for (index, row) in lines.enumerated().dropFirst() {
                let fields = row.split(separator: ",", omittingEmptySubsequences: false)
                guard fields.count == columns, fields.dropFirst().allSatisfy({ Double($0) != nil }),
                    let number = Int(fields[0]), let dice = Double(fields[3]), !(dice < 0 || dice > 1)
                else {
                    damaged.append(index + 1)
                    continue
                }
                if number <= step { kept.append((row, number, dice)) }
            }
        }
        let last = kept.last?.step ?? 0
        if let first = damaged.first {
            let others = damaged.count > 1 ? " and \(counted(damaged.count - 1, "other"))" : ""
            loss = "Line \(first)\(others) of '\(path)' cannot be read: left out of what follows."
        } else if step - last >= every {
            loss =
                "'\(path)' has no rows of the steps \(last + 1) to \(step), which were done: they are left out."
        } else {
            loss = nil
        }
        keptDice = kept.map(\.dice)
        try AtomicFile.write(
            path, text: ([Self.header] + kept.map { String($0.text) }).joined(separator: "\n") + "\n")
        file = RecordFile(path: path)
        try file.flush()
    }

    /// Appends a row.
    /// - Throws: ``FileError``; the row then stays in memory and is written with the next.
    public func append(_ metrics: StepMetrics) throws {
        // Exact where runs are compared; six digits where it is about time.
        let exact = [
            metrics.loss, metrics.generalisedDice, metrics.dice, metrics.imbalance, metrics.learningRate,
        ]
        let timed = [
            metrics.stepSeconds, metrics.dataSeconds, metrics.communicationSeconds, metrics.voxelsPerSecond,
        ]
        let fields =
            ["\(metrics.step)"] + exact.map { "\($0)" } + timed.map { String(format: "%.6g", $0) }
        try file.append(Array((fields.joined(separator: ",") + "\n").utf8))
    }

    /// Writes the rows that could not be written before.
    /// - Throws: ``FileError``.
    public func flush() throws { try file.flush() }

    /// Returns when all rows are on the disk itself.
    /// - Throws: ``FileError``.
    public func synchronise() throws { try file.synchronise() }
}
