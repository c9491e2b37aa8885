import Configuration
import RunFiles

extension SweepConfiguration.Figure: ConfigurationSection {
    package mutating func visit(_ keys: inout KeyVisitor) throws(ConfigurationError) {
        try keys.optionalText("subject", &subject)
        try keys.optionalText("network", &network)
        try keys.automatic("patch", &patch, 1...1024)
        guard let node = keys.node("learning_rate") else { return }
        switch node.value {
        case .scalar("auto", _): learningRate = nil
        case .scalar(let text, _) where Double(text) != nil: learningRate = Double(text)
        default: throw keys.failure("learning_rate", found: node.shown, expected: "auto or a number")
        }
    }
}

extension SweepConfiguration {
    /// Checks that `figure` names what the sweep has.
    func checkFigure(rates: [Double], at keys: inout KeyVisitor) throws(ConfigurationError) {
        func names(_ cells: [SweepCell], _ name: (SweepCell) -> String) -> String {
            cells.map(name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
                .joined(separator: ", ")
        }
        if let network = figure.network, !cells.contains(where: { $0.network == network }) {
            throw keys.failure(
                "figure", found: "a mapping with network '\(network)'",
                expected: "one of \(names(cells) { $0.network })")
        }
        if let patch = figure.patch {
            let own = cells.filter { $0.network == figureNetwork }
            guard own.contains(where: { $0.configuration.patch.size.max() == patch }) else {
                throw keys.failure(
                    "figure", found: "a mapping with patch \(patch)",
                    expected:
                        "one of \(names(own) { "\($0.configuration.patch.size.max() ?? 0)" }), the patches of \(figureNetwork)"
                )
            }
        }
        if let rate = figure.learningRate, !rates.contains(rate) {
            throw keys.failure(
                "figure", found: "a mapping with learning_rate \(rate)",
                expected: "one of \(rates.map(Quantity.scientificText).joined(separator: ", "))")
        }
    }

    /// The network that the figure of slices shows.
    private var figureNetwork: String {
        let isVolume = { (cell: SweepCell) in ((try? cell.configuration.inputPatch().min()) ?? 1) > 1 }
        return figure.network ?? (cells.first(where: isVolume) ?? cells.first)?.network ?? ""
    }

    /// The cells that the figure of slices shows, a loss each.
    public var figureCells: [SweepCell] {
        let own = cells.filter { $0.network == figureNetwork }
        func edge(_ cell: SweepCell) -> Int { cell.configuration.patch.size.max() ?? 0 }
        let patch = figure.patch ?? own.map(edge).max() ?? 0
        let rates = Set(own.map(\.learningRate)).sorted()
        let rate = figure.learningRate ?? rates[(rates.count - 1) / 2]
        let chosen = own.filter { edge($0) == patch && $0.learningRate == rate }
        // Of patches that differ in batch alone, the first.
        return chosen.filter { $0.configuration.batch == chosen.first?.configuration.batch }
    }
}
