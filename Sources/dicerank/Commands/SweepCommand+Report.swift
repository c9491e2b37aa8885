import Foundation
import Reporting
import Sampling

/// The report of a sweep.
struct SweepReport {
    private let plan: SweepPlan
    private let report: Report

    init(_ plan: SweepPlan, report: Report) { (self.plan, self.report) = (plan, report) }

    /// Writes it into the sweep's folder.
    /// - Returns: what to print: how many cells are done, and the page's path.
    /// - Throws: `CommandError` where no cell is done.
    func write() throws -> String {
        let runs = try plan.cells.map(comparedRun)
        let done = runs.count { if case .finished = $0.outcome { true } else { false } }
        let failed = runs.compactMap { run in
            if case .failed(let sentence, _) = run.outcome { "\(run.name): \(sentence)" } else { nil }
        }
        guard done > 0 else {
            throw CommandError(
                failed.first.map { "No cell is done, and \(failed.count) failed; the first is \($0)" }
                    ?? "No cell is done, so that there is nothing to report.")
        }
        let page = try RunReport(
            title: "Sweep of \(counted(runs.count, "run"))",
            comparison: Comparison(runs, last: plan.sweep.last),
            facts: facts, slices: slices()
        ).write(to: plan.folder.path + "/report")
        let failures =
            failed.isEmpty ? "" : ", \(failed.count) failed (--retry-failed runs them again)"
        return "\(done) of \(counted(runs.count, "cell")) done\(failures): \(page)"
    }

    private func comparedRun(_ planned: SweepPlan.Cell) throws -> ComparedRun {
        let cell = planned.cell
        let state = try plan.folder.state(of: cell, configuration: planned.configuration)
        // A cell that has failed or just begun may have recorded nothing.
        let record = try? RunRecord(folder: planned.folder)
        let outcome: ComparedRun.Outcome =
            switch (state, record) {
            case (.failed(let sentence), let record): .failed(sentence, record)
            case (_, let record?): record.isComplete ? .finished(record) : .unfinished(record)
            case (_, nil): .notRun
            }
        return ComparedRun(
            name: cell.name, network: cell.network,
            patch: PatchSetting(
                size: planned.inputPatch, effective: planned.effectivePatch,
                batch: planned.configuration.stepPatches),
            learningRate: cell.learningRate, loss: cell.loss, outcome: outcome)
    }

    private var facts: [RunReport.Fact] {
        let data = plan.cells[0].configuration.data
        let heldOut = plan.subjects.heldOut
        return [
            RunReport.Fact(
                "Subjects",
                "\(plan.subjects.training) trained on" + (heldOut > 0 ? ", \(heldOut) held out" : "")),
            RunReport.Fact("Images", data.modalities.joined(separator: ", ")),
        ]
    }

    private func slices() -> RunReport.Slices {
        do {
            return .slices(try SweepSlices(plan, report: report).make())
        } catch {
            return .missing(Failure.sentence(for: error))
        }
    }
}
