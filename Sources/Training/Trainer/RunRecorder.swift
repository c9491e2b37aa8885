import Foundation
import Inference

/// Writes what steps give: progress, metrics.csv, held_out.csv and TensorBoard events on rank 0; totals on all ranks.
final class RunRecorder {
    /// The first record that could not be written, for all ranks to end at the next step.
    private(set) var failure: (any Error)?
    /// DSC of the recorded steps, those before a resume included.
    private(set) var dice: [Double] = []
    private(set) var total = StepTimer.Times()
    private(set) var steps = 0
    private(set) var last: StepMetrics?

    private let every: Int
    private let metrics: MetricsLog?
    private let heldOut: HeldOutLog?
    private let eventsFolder: String?
    private var events: TensorBoardWriter?
    private var progress: ProgressLine?

    /// - Parameter firstStep: steps done before; records of later ones are removed.
    /// - Throws: ``FileError``.
    init(
        configuration: RunConfiguration, options: TrainingOptions, log: RunLog, firstStep: Int, isWriter: Bool
    ) throws {
        every = configuration.log.every
        let folder = options.runFolder
        let trains = firstStep < configuration.steps
        eventsFolder = isWriter && configuration.log.tensorboard ? folder + "/tensorboard" : nil
        heldOut =
            isWriter
            ? try HeldOutLog(path: folder + "/held_out.csv", keepingThrough: trains ? firstStep : .max) : nil
        guard isWriter, trains else {
            metrics = nil
            return
        }
        try AtomicFile.write(folder + "/config.yaml", text: configuration.yaml)
        let metrics = try MetricsLog(path: folder + "/metrics.csv", keepingThrough: firstStep)
        dice = metrics.keptDice
        self.metrics = metrics
        events = try eventsFolder.map { try TensorBoardWriter(folder: $0, firstStep: firstStep + 1) }
        progress = ProgressLine(console: log.console, total: configuration.steps, quiet: options.quiet)
    }

    /// Whether the held-out scores of a step are on disk; false on ranks that do not write.
    func holdsScores(step: Int) -> Bool { heldOut?.holds(step: step) ?? false }

    /// Writes held-out scores.
    /// - Throws: ``FileError``.
    func record(_ table: ScoreTable, _ scores: HeldOutScores) throws {
        try heldOut?.append(step: scores.step, table)
        if events == nil, let eventsFolder {
            events = try TensorBoardWriter(folder: eventsFolder, firstStep: scores.step + 1)
        }
        try events?.append(step: scores.step, [("held_out/dsc", scores.dscMean)])
    }

    func record(_ step: StepMetrics, _ times: StepTimer.Times) {
        steps += 1
        last = step
        total.step += times.step
        total.data += times.data
        total.communication += times.communication
        total.reduction += times.reduction
        total.baseline += times.baseline
        dice.append(step.dice)
        if step.step % every == 0 {
            do {
                try metrics?.append(step)
                try events?.append(step)
            } catch {
                failure = failure ?? error
            }
        }
        progress?.update(
            .init(
                step: step.step, loss: step.loss, dice: step.dice, seconds: step.stepSeconds,
                voxelsPerSecond: step.voxelsPerSecond))
    }

    func finish() { progress?.finish() }
}
