import Sampling

/// The DSC of every held-out subject after every run, which Figure 3 draws: `held_out.csv`.
enum HeldOutTable {
    static func csv(_ comparison: Comparison) -> String {
        var lines = [
            ["run", "network", "effective_patch", "batch", "learning_rate", "loss", "step", "subject", "dsc"]
        ]
        for run in comparison.runs {
            guard let heldOut = run.result?.heldOut else { continue }
            for score in heldOut.scores {
                lines.append([
                    run.name, run.network, RunTable.edges(run.patch.effective), "\(run.patch.batch)",
                    Display.learningRate(run.learningRate), run.loss, "\(heldOut.step)", score.subject,
                    "\(score.dice)",
                ])
            }
        }
        return CSVTable.text(lines)
    }
}
