import Collectives
import Foundation
import Inference
import Reporting
import RunFiles
import Sweep
import Training

/// Trains the cells of a sweep, one after the other on all ranks or side by side on groups of them.
struct SweepRunner {
    private let plan: SweepPlan
    /// Those to train.
    private let cells: [SweepPlan.Cell]
    private let report: Report
    private let world: any Communicator

    init(_ plan: SweepPlan, _ cells: [SweepPlan.Cell], report: Report, world: any Communicator) {
        (self.plan, self.cells, self.report, self.world) = (plan, cells, report, world)
    }

    /// Collective.
    /// - Returns: the signal that stopped the sweep before its end, the same on all ranks; nil at its end.
    /// - Throws: what is not a single cell's failure, such as errors of MPI.
    func run() throws -> Int32? {
        StopSignals.install()
        let index = world.rank / plan.groupSize
        let group = plan.groups > 1 ? try world.split(color: index, key: world.rank) : world
        let share = SweepShares.deal(cells.map(\.cell.cost), groups: plan.groups)[index]
        let threads = try threadsOfARank()
        var member = SweepMember(
            plan: plan, cells: share.map { cells[$0] }, group: group, threads: threads, report: report,
            prefix: plan.groups > 1 ? "group \(index + 1) of \(plan.groups), " : "")
        try member.run()
        // Groups end at different times, and wait for each other without keeping their cores busy.
        let number = Int32(try world.idleMaximum(Float(member.signal)))
        return number > 0 ? number : nil
    }

    /// Threads that each rank gets where the configuration leaves it open. A group does not know of the other
    /// groups' ranks on its nodes, so that all ranks share the cores here.
    private func threadsOfARank() throws -> Int? {
        guard plan.groups > 1 else { return nil }
        let placement = try Placement.query(on: world)
        return Int(try world.allReduce(Int64(placement.threads), .minimum))
    }
}

/// What one group of ranks does.
private struct SweepMember {
    let plan: SweepPlan
    let cells: [SweepPlan.Cell]
    let group: any Communicator
    let threads: Int?
    let report: Report
    let prefix: String
    /// The signal that stopped it; 0 for none.
    private(set) var signal: Int32 = 0
    private var clock = SweepClock()

    init(
        plan: SweepPlan, cells: [SweepPlan.Cell], group: any Communicator, threads: Int?, report: Report,
        prefix: String
    ) {
        (self.plan, self.cells, self.group) = (plan, cells, group)
        (self.threads, self.report, self.prefix) = (threads, report, prefix)
    }

    private var isFirst: Bool { group.rank == 0 }
    /// Several groups would write their steps over each other.
    private var isQuiet: Bool { report.isQuiet || plan.groups > 1 }

    mutating func run() throws {
        for index in cells.indices {
            guard try !isStopped() else { return }
            announce(index)
            let cell = cells[index]
            let begin = ContinuousClock.now
            do {
                guard let outcome = try train(cell) else { return }
                let seconds = begin.secondsToNow
                clock.note(cost: cost(cell), seconds: seconds)
                if isFirst { plan.folder.forgetFailure(of: cell.cell) }
                say("\(cell.cell.name) is done in \(Quantity.duration(seconds))\(outcome)")
            } catch  where group.isShared(error) {
                let sentence = Failure.sentence(for: error)
                try group.together {
                    if isFirst { try plan.folder.noteFailure(sentence, of: cell.cell) }
                }
                if isFirst { report.warning("\(prefix)\(cell.cell.name) failed: \(sentence)") }
            }
        }
    }

    /// Trains a cell, or what is left of it. Collective.
    /// - Returns: what to say of its result; nil where a signal stopped it.
    private mutating func train(_ cell: SweepPlan.Cell) throws -> String? {
        var configuration = cell.configuration
        if configuration.threads == nil { configuration.threads = threads }
        let options = TrainingOptions(
            runFolder: cell.folder, quiet: isQuiet, warnsOfGrids: false,
            version: Dicerank.configuration.version)
        let trainer = try Trainer(configuration, options: options, communicator: group)
        // Planning takes a while.
        guard try !isStopped() else { return nil }
        let summary = try trainer.run()
        guard trainer.isComplete else {
            signal = trainer.stopSignal ?? SIGTERM
            return nil
        }
        return summary == nil ? "" : result(of: cell)
    }

    /// The median that the tables of the sweep have.
    private func result(of cell: SweepPlan.Cell) -> String {
        guard isFirst, let record = try? RunRecord(folder: cell.folder),
            let comparison = try? Comparison([ComparedRun(record)], last: plan.sweep.last),
            let dice = comparison.dice(of: comparison.runs[0])
        else { return "" }
        return ", median DSC \(String(format: "%.3f", dice.median)) of the last \(comparison.lastSteps)"
    }

    /// Whether a rank of the group was told to stop. Collective.
    private mutating func isStopped() throws -> Bool {
        signal = Int32(try group.allReduce(Int64(StopSignals.pending ?? 0), .maximum))
        return signal > 0
    }

    // MARK: Progress

    private func announce(_ index: Int) {
        let left = cells[index...].reduce(0) { $0 + cost($1) }
        let time = clock.estimate(cost: left).map { ", about \(Quantity.duration($0)) for those left" } ?? ""
        say("cell \(index + 1) of \(cells.count)\(time): \(cells[index].cell.name)")
    }

    /// Of the steps that are left when the sweep begins.
    private func cost(_ cell: SweepPlan.Cell) -> Double {
        var done = 0
        if case .started(let step) = cell.state { done = step }
        return cell.cell.cost * Double(cell.configuration.steps - done) / Double(cell.configuration.steps)
    }

    private func say(_ text: String) {
        if isFirst { report.note(prefix + text) }
    }
}
