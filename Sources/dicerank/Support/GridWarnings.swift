import Collectives
import Sampling
import Training

extension TrainedNetwork {
    /// Warns where subjects to segment differ in orientation or spacing from those of the training.
    /// Collective.
    /// - Throws: the same on all ranks: `NIfTIError` of a header.
    func compareGrids(of subjects: [SubjectFiles], on world: any Communicator, _ report: Report) throws {
        let found = try GridSurvey.read(subjects, on: world)
        guard world.rank == 0, !found.isEmpty else { return }
        let comparison = GridComparison(
            found, view: GridView(slices: reader.slices, isPlanar: isPlanar))
        guard let grids else {
            report.warning(
                "\(path) does not tell the orientation and spacing of its training, so that they are not compared."
            )
            return comparison.warnings.forEach(report.warning)
        }
        comparison.warnings(against: grids).forEach(report.warning)
    }
}

extension SweepPlan {
    /// Sentences where the subjects of its runs differ in orientation or spacing, each once; empty on all
    /// ranks but the first. Collective.
    func gridWarnings(on world: any Communicator) throws -> [String] {
        struct Data: Hashable {
            let subjects: [SubjectFiles]
            let view: GridView
        }
        let tasks = try world.together { try cells.map { try $0.cell.task(ranks: groupSize) } }
        var seen: Set<Data> = []
        var sentences: [String] = []
        for task in tasks {
            let data = Data(subjects: task.subjects + task.heldOut, view: task.gridView)
            guard seen.insert(data).inserted else { continue }
            // A file that cannot be read fails its runs, and each says why.
            let grids = try GridSurvey.read(data.subjects, on: world, leavesOutUnreadable: true)
            for sentence in GridComparison(grids, view: data.view).warnings
            where !sentences.contains(sentence) {
                sentences.append(sentence)
            }
        }
        return world.rank == 0 ? sentences : []
    }
}
