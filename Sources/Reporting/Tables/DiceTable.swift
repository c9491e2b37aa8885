/// The paper's Tables 2 and 3: median (interquartile range) of the DSC over the last steps, a row a patch
/// size and learning rate, a column a network and loss.
enum DiceTable {
    /// - Parameter dimensions: 2 for the networks that take slices, 3 for those that take volumes.
    /// - Returns: nil where the comparison has no such network.
    static func make(_ comparison: Comparison, dimensions: Int) -> Table? {
        let networks = comparison.networks(dimensions: dimensions)
        guard !networks.isEmpty else { return nil }
        let patches = networks.map { comparison.patches(of: $0, dimensions: dimensions) }
        var table = Table(
            number: dimensions == 2 ? "Table 2" : "Table 3",
            caption: """
                DSC of the training patches over the last \(comparison.lastSteps), median (interquartile range), of \
                networks that take \(dimensions == 2 ? "slices" : "volumes"). The best loss of each network in a row \
                is bold; patch sizes are those of Table 1.
                """,
            headings: ["Patch", "LR"],
            groups: networks.map {
                Table.Group(title: Display.network($0), columns: comparison.losses(of: $0).count)
            },
            columns: networks.flatMap { comparison.losses(of: $0).map(Display.loss) })
        let sizes = patches.map(\.count).max() ?? 0
        for size in 0..<sizes {
            for rate in comparison.learningRates() {
                let cells = zip(networks, patches).flatMap { network, patches in
                    let patch = size < patches.count ? patches[size] : nil
                    return row(comparison, network, patch, rate)
                }
                guard cells.contains(where: { !$0.text.isEmpty }) else { continue }
                table.rows.append(
                    Table.Row(
                        headings: [Display.sizeName(size, of: sizes), Display.learningRate(rate)],
                        cells: cells))
            }
        }
        return table
    }

    /// The losses of one network.
    private static func row(
        _ comparison: Comparison, _ network: String, _ patch: PatchSetting?, _ rate: Double
    ) -> [Table.Cell] {
        let losses = comparison.losses(of: network)
        guard let patch else { return losses.map { _ in Table.Cell(text: "") } }
        let runs = losses.map { comparison.run(network, patch, rate, $0) }
        let spreads = runs.map { $0.flatMap { comparison.dice(of: $0) } }
        // As it is written: what the reader cannot tell apart is equally good.
        let medians = spreads.map { $0.map { Display.fixed($0.median, 2) } }
        let best = losses.count > 1 ? medians.compactMap { $0 }.max() : nil
        return zip(runs, zip(spreads, medians)).map { run, value in
            guard let run else { return Table.Cell(text: "") }
            guard let spread = value.0 else { return missing(run) }
            return Table.Cell(
                text: Display.spread(spread), isBest: value.1 == best && Display.fixed(0, 2) != best)
        }
    }

    private static func missing(_ run: ComparedRun) -> Table.Cell {
        switch run.outcome {
        case .failed(let sentence, _): return Table.Cell(text: "failed", note: sentence)
        case .unfinished(let record):
            let step = record.records.steps.last ?? 0
            return Table.Cell(
                text: "unfinished", note: "Stopped after step \(step) of \(record.configuration.steps).")
        case .notRun: return Table.Cell(text: "not run")
        case .finished: return Table.Cell(text: "no number", note: "A recorded DSC is not a number.")
        }
    }
}
