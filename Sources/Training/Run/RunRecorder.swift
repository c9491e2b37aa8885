import Configuration
import Foundation
import Inference
import Logging
import RunFiles

/// Writes what steps give: progress, metrics.csv, held_out.csv and TensorBoard events on rank 0; totals on
/// all ranks.
///
/// What the file system does not take stays in memory and is tried again after each step: a disk that is full
/// for a while costs a warning.
final class RunRecorder {
    private enum Record { case metrics, heldOut, events }

    /// Why the last attempt at a file failed; nothing for files that are as they should be.
    private var failures: [Record: any Error] = [:]
    /// DSC of the recorded steps, those before a resume included.
    private(set) var dice: [Double] = []
    private(set) var total = StepTimes()
    private(set) var steps = 0
    private(set) var last: StepMetrics?

    private let every: Int
    private let metrics: MetricsLog?
    private let heldOut: HeldOutLog?
    private let eventsFolder: String?
    private var events: TensorBoardWriter?
    private var progress: ProgressLine?
    private let logger: Logger

    /// - Parameter firstStep: steps done before; records of later ones are removed.
    /// - Throws: ``FileError``.
    init(
        configuration: RunConfiguration, options: TrainingOptions, log: RunLog, firstStep: Int, isWriter: Bool
    ) throws {
        every = configuration.log.every
        logger = log.logger()
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
        let metrics = try MetricsLog(path: folder + "/metrics.csv", keepingThrough: firstStep, every: every)
        if let sentence = metrics.loss { log.logger().warning("\(sentence)") }
        dice = metrics.keptDice
        self.metrics = metrics
        events = try eventsFolder.map { try TensorBoardWriter(folder: $0, firstStep: firstStep + 1) }
        try events?.flush()
        progress = ProgressLine(console: log.console, total: configuration.steps, quiet: options.quiet)
    }

    /// Whether held-out scores of a step were found or recorded; false on ranks that do not write.
    func holdsScores(step: Int) -> Bool { heldOut?.holds(step: step) ?? false }

    /// Writes held-out scores, or keeps them for later.
    func record(_ table: ScoreTable, _ scores: HeldOutScores) {
        attempt(.heldOut) { try heldOut?.append(step: scores.step, table) }
        attempt(.events) {
            if events == nil, let eventsFolder {
                events = try TensorBoardWriter(folder: eventsFolder, firstStep: scores.step + 1)
            }
            try events?.append(step: scores.step, [("held_out/dsc", scores.dscMean)])
        }
    }

    func record(_ step: StepMetrics, _ times: StepTimes) {
        steps += 1
        last = step
        total += times
        dice.append(step.dice)
        let isDue = step.step % every == 0
        attempt(.metrics) { try isDue ? metrics?.append(step) : metrics?.flush() }
        attempt(.events) { try isDue ? events?.append(step) : events?.flush() }
        attempt(.heldOut) { try heldOut?.flush() }
        progress?.update(
            .init(
                step: step.step, loss: step.loss, dice: step.dice, seconds: step.stepSeconds,
                voxelsPerSecond: step.voxelsPerSecond))
    }

    /// Puts the rows of all steps so far on the disk itself, for a checkpoint that must not be ahead of them.
    func synchronise() { attempt(.metrics) { try metrics?.synchronise() } }

    /// Tries once more what could not be written.
    /// - Throws: ``TrainingError/notRecorded(_:)`` with the first file that still cannot be.
    func writeRest() throws {
        attempt(.metrics) { try metrics?.flush() }
        attempt(.heldOut) { try heldOut?.flush() }
        attempt(.events) { try events?.flush() }
        guard let failure = failures[.metrics] ?? failures[.heldOut] ?? failures[.events] else { return }
        throw TrainingError.notRecorded("\(failure)")
    }

    func finish() { progress?.finish() }

    /// Writes to a file; says so where it fails for the first time, and where it works again.
    private func attempt(_ record: Record, _ write: () throws -> Void) {
        do {
            try write()
            guard let failure = failures.removeValue(forKey: record) else { return }
            logger.notice("What was missing is written now, after the failure: \(failure)")
        } catch {
            guard failures.updateValue(error, forKey: record) == nil else { return }
            logger.warning(
                "\(error) What belongs there stays in memory, training goes on, and it is tried again after each step."
            )
        }
    }
}
