import RunFiles
import Sampling

extension TrainingTask {
    /// How the network meets volumes.
    public var gridView: GridView { GridView(slices: reader.slices, isPlanar: isPlanar) }
}

extension PreparedRun {
    /// Warns where subjects differ in orientation or spacing. Collective.
    /// - Returns: the grids of those that are trained on, for checkpoints.
    /// - Throws: the same on all ranks: `NIfTIError` of a header.
    func compareGrids() throws -> GridSummary {
        try phases.run(.readingHeaders, step: progress.firstStep) {
            let view = task.gridView
            let trained = try GridSurvey.read(task.subjects, on: communicator, progress: phases.progressed)
            // What is wrong with a held-out file is said where it is checked and read.
            let heldOut = try GridSurvey.read(
                task.heldOut, on: communicator, leavesOutUnreadable: true, progress: phases.progressed)
            for sentence in GridComparison(trained + heldOut, view: view).warnings where isWriter {
                if options.warnsOfGrids {
                    logger.warning("\(sentence)")
                } else {
                    log.keep(.warning, sentence)
                }
            }
            return GridSummary(trained, view: view)
        }
    }
}
