import RunFiles
import Sampling

extension TrainingTask {
    /// How the network meets volumes.
    public var gridView: GridView { GridView(slices: reader.slices, isPlanar: isPlanar) }
}

extension Trainer {
    /// Warns where subjects differ in orientation or spacing, and keeps for checkpoints what those of the training have.
    /// Collective.
    /// - Throws: the same on all ranks: `NIfTIError` of a header.
    func compareGrids() throws {
        watchdog.begin("reading the headers of images", step: firstStep)
        let view = task.gridView
        let trained = try GridSurvey.read(task.subjects, on: communicator, progress: watchdog.progress)
        grids = GridSummary(trained, view: view)
        // What is wrong with a held-out file is said where it is checked and read.
        let heldOut = try GridSurvey.read(
            task.heldOut, on: communicator, leavesOutUnreadable: true, progress: watchdog.progress)
        guard isWriter else { return }
        for sentence in GridComparison(trained + heldOut, view: view).warnings {
            if options.warnsOfGrids { logger.warning("\(sentence)") } else { log.keep(.warning, sentence) }
        }
    }
}
