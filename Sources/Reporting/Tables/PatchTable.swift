import Inference

/// The paper's Table 1: patch and batch sizes of each network, and how imbalanced the patches were.
enum PatchTable {
    static func make(_ comparison: Comparison) -> Table {
        var table = Table(
            number: "Table 1",
            caption: """
                Patch sizes in voxels and patches a step. The loss is taken on the effective patch; imbalance is the \
                median share of foreground in the effective patches of a step.
                """,
            headings: ["Network", "Patch"], columns: ["Batch", "Initial", "Effective", "Imbalance"])
        for network in comparison.networks {
            // Sizes are named within their table.
            for dimensions in [2, 3] {
                let patches = comparison.patches(of: network, dimensions: dimensions)
                let sizes =
                    comparison.networks(dimensions: dimensions)
                    .map { comparison.patches(of: $0, dimensions: dimensions).count }.max() ?? 0
                for (index, patch) in patches.enumerated() {
                    let share = imbalance(comparison, network, patch)
                    table.rows.append(
                        Table.Row(
                            headings: [Display.network(network), Display.sizeName(index, of: sizes)],
                            cells: [
                                "\(patch.batch)", Display.size(patch.size), Display.effective(patch),
                                share.map { Display.percent($0.median) } ?? "\u{2013}",
                            ].map { Table.Cell(text: $0) }))
                }
            }
        }
        return table
    }

    /// Over all recorded steps of the runs with this patch: they differ in what was learnt, not in what was
    /// seen.
    private static func imbalance(
        _ comparison: Comparison, _ network: String, _ patch: PatchSetting
    ) -> Quartiles? {
        Quartiles(
            of: comparison.runs.filter { $0.network == network && $0.patch == patch }
                .flatMap { $0.record?.records.imbalance ?? [] })
    }
}
