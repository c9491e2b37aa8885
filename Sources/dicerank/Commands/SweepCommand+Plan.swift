import Collectives
import Configuration
import Foundation
import Reporting
import Sampling
import Sweep
import Training

/// A sweep's cells, checked, with how far each is. Equal on all ranks.
struct SweepPlan {
    struct Cell {
        let cell: SweepCell
        /// With the modalities that were found.
        let configuration: RunConfiguration
        /// Depth, height and width in voxels.
        let inputPatch, effectivePatch: [Int]
        let folder: String
        let state: SweepFolder.State

        func isPending(retryFailed: Bool) -> Bool {
            switch state {
            case .new, .started: true
            case .done: false
            case .failed: retryFailed
            }
        }
    }

    let sweep: SweepConfiguration
    let folder: SweepFolder
    let cells: [Cell]
    /// Ranks that train a cell together.
    let groupSize: Int
    let groups: Int
    /// Subjects to train on, and held out.
    let subjects: (training: Int, heldOut: Int)

    /// Checks all cells, and that their folders and the report's can be written. Collective.
    /// - Parameter paths: of the files that were read.
    /// - Throws: the same on all ranks: ``SweepError`` for the first cell that cannot be run.
    init(
        _ sweep: SweepConfiguration, folder: SweepFolder, reading paths: [String],
        ranks world: any Communicator
    ) throws {
        let groupSize = try sweep.groupSize(of: world.size)
        let checked = try world.together {
            // Rank 0 looks at the folders for all: others may see what it has written a little later.
            if world.rank == 0 {
                try folder.check()
                try ReportFolder.check(folder.path + "/report", reading: paths)
            }
            return try sweep.cells.map { cell in
                let task = try cell.task(ranks: groupSize)
                if world.rank == 0 { try folder.check(cell, task, reading: paths) }
                let state =
                    world.rank == 0 ? try folder.state(of: cell, configuration: task.configuration) : .new
                return (cell, task, state)
            }
        }
        let texts = try world.broadcast(checked.map { Self.text($0.2) }.joined(separator: "\n"), from: 0)
        let states = texts.split(separator: "\n").map { Self.state(String($0)) }
        cells = zip(checked, states).map { checked, state in
            let (input, effective) = (checked.1.patchSize, checked.1.effectiveSize)
            return Cell(
                cell: checked.0, configuration: checked.1.configuration,
                inputPatch: [input.depth, input.height, input.width],
                effectivePatch: [effective.depth, effective.height, effective.width],
                folder: folder.run(checked.0),
                state: state)
        }
        self.sweep = sweep
        self.folder = folder
        self.groupSize = groupSize
        groups = world.size / groupSize
        let training = checked[0].1.subjects.count
        let all = try world.together {
            try SubjectList(reading: checked[0].1.configuration.data.list).rows.count
        }
        subjects = (training, all - training)
    }

    /// Opens the files of all subjects that the cells name, before any is trained. Collective.
    /// - Throws: the same on all ranks.
    func checkSubjects(of cells: [Cell], on world: any Communicator) throws {
        var checked: [RunConfiguration] = []
        for cell in cells {
            let one = cell.configuration
            guard
                !checked.contains(where: {
                    $0.data == one.data && $0.seed == one.seed && $0.evaluate == one.evaluate
                })
            else { continue }
            checked.append(one)
            try SubjectCheck(try world.together { try TrainingTask(one) }).run(on: world)
        }
    }

    /// A line a cell.
    var listing: [String] {
        let width = cells.map(\.folder.count).max() ?? 0
        let lines = cells.map { cell in
            let folder = cell.folder.padding(toLength: width, withPad: " ", startingAt: 0)
            let state =
                switch cell.state {
                case .new: "new"
                case .started(let step): "at step \(step) of \(cell.configuration.steps)"
                case .done: "done"
                case .failed: "failed"
                }
            let patch = cell.inputPatch.map(String.init).joined(separator: "x")
            let effective = cell.effectivePatch.map(String.init).joined(separator: "x")
            return
                "\(folder)  patch \(patch), effective \(effective), batch \(cell.configuration.batch): \(state)"
        }
        let ranks = counted(groupSize, "rank")
        let summary =
            "\(counted(cells.count, "cell")) of \(counted(cells[0].configuration.steps, "step")) on "
            + "\(counted(subjects.training, "subject")), "
            + (groups == 1 ? "one after the other on \(ranks)" : "\(groups) at a time on \(ranks) each")
        return lines + [summary]
    }

    // A state travels as a line: a word, a number or a sentence.

    private static func text(_ state: SweepFolder.State) -> String {
        switch state {
        case .new: "new"
        case .started(let step): "started \(step)"
        case .done: "done"
        case .failed(let sentence):
            "failed \(sentence.split(whereSeparator: \.isNewline).joined(separator: " "))"
        }
    }

    private static func state(_ text: String) -> SweepFolder.State {
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        switch words[0] {
        case "started": return .started(step: words.count > 1 ? Int(words[1]) ?? 0 : 0)
        case "done": return .done
        case "failed": return .failed(words.count > 1 ? words[1] : "")
        default: return .new
        }
    }
}
