import Inference
import Sampling

/// All numbers of all runs, a row a run: `runs.csv`.
enum RunTable {
    static let columns = [
        "run", "network", "patch", "effective_patch", "batch", "learning_rate", "loss", "status", "steps",
        "dsc_median", "dsc_lower_quartile", "dsc_upper_quartile", "dsc_steps", "imbalance_median",
        "final_loss", "step_seconds_median", "held_out_step", "held_out_subjects", "held_out_dsc_mean",
        "held_out_dsc_median", "held_out_dsc_lower_quartile", "held_out_dsc_upper_quartile", "ranks",
        "threads", "reason",
    ]

    /// What a run has no value for is an empty field.
    static func csv(_ comparison: Comparison) -> String {
        let lines = [columns] + comparison.runs.map { row($0, comparison) }
        return CSVTable.text(lines)
    }

    private static func row(_ run: ComparedRun, _ comparison: Comparison) -> [String] {
        func text(_ value: Double?) -> String { value.map { $0.isFinite ? "\($0)" : "" } ?? "" }
        let records = run.record?.records
        let dice = comparison.dice(of: run)
        let heldOut = run.record?.heldOut?.summary
        let summary = run.record?.summary
        let (status, reason) = status(run)
        return [
            run.name, run.network, edges(run.patch.size), edges(run.patch.effective), "\(run.patch.batch)",
            Display.learningRate(run.learningRate), run.loss, status,
            records?.steps.last.map(String.init) ?? "0", text(dice?.median), text(dice?.lower),
            text(dice?.upper), dice == nil ? "" : "\(records?.last(comparison.last).count ?? 0)",
            text(records.flatMap { Quartiles(of: $0.imbalance)?.median }), text(records?.loss.last),
            text(records.flatMap { Quartiles(of: $0.seconds)?.median }), heldOut.map { "\($0.step)" } ?? "",
            heldOut.map { "\($0.subjects)" } ?? "", text(heldOut?.dscMean), text(heldOut?.dscMedian),
            text(heldOut?.dscLowerQuartile), text(heldOut?.dscUpperQuartile),
            summary.map { "\($0.ranks)" } ?? "",
            summary.map { "\($0.threads)" } ?? "", reason,
        ]
    }

    private static func status(_ run: ComparedRun) -> (String, reason: String) {
        switch run.outcome {
        case .finished: ("finished", "")
        case .unfinished: ("unfinished", "")
        case .failed(let sentence, _): ("failed", sentence)
        case .notRun: ("not_run", "")
        }
    }

    /// `51` for a cube, else `1x56x56`.
    static func edges(_ edges: [Int]) -> String {
        Set(edges).count == 1 ? "\(edges[0])" : edges.map(String.init).joined(separator: "x")
    }
}
