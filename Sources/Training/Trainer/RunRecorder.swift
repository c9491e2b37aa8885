import Foundation

/// Writes what steps give: progress, metrics.csv and TensorBoard events on rank 0; totals on all ranks.
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
    private let events: TensorBoardWriter?
    private var progress: ProgressLine?

    /// - Parameter firstStep: steps done before; records of later ones are removed.
    /// - Throws: ``FileError``.
    init(
        configuration: RunConfiguration, options: TrainingOptions, log: RunLog, firstStep: Int, isWriter: Bool
    ) throws {
        every = configuration.log.every
        guard isWriter, firstStep < configuration.steps else {
            metrics = nil
            events = nil
            return
        }
        let folder = options.runFolder
        try AtomicFile.write(folder + "/config.yaml", text: configuration.yaml)
        let metrics = try MetricsLog(path: folder + "/metrics.csv", keepingThrough: firstStep)
        dice = metrics.keptDice
        self.metrics = metrics
        events =
            configuration.log.tensorboard
            ? try TensorBoardWriter(folder: folder + "/tensorboard", firstStep: firstStep + 1) : nil
        progress = ProgressLine(console: log.console, total: configuration.steps, quiet: options.quiet)
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
