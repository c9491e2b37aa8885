/// Median DSC with its quartiles over the one setting that was varied, a line a loss; over the losses where
/// none was.
struct SpreadPanel {
    private let comparison: Comparison
    private let losses: [String]
    /// One a place along the panel.
    private let groups: [Group]
    private let title: String

    private struct Group {
        let text: String
        let runs: [String: ComparedRun]
    }

    init(_ comparison: Comparison, network: String, dimensions: Int) {
        self.comparison = comparison
        losses = comparison.losses(of: network)
        let patches = comparison.patches(of: network, dimensions: dimensions)
        let rates = comparison.learningRates(of: network)
        let losses = losses
        func runs(_ patch: PatchSetting, _ rate: Double) -> [String: ComparedRun] {
            Dictionary(
                uniqueKeysWithValues: losses.compactMap { loss in
                    comparison.run(network, patch, rate, loss).map { (loss, $0) }
                })
        }
        if patches.count == 1, rates.count == 1 {
            let all = runs(patches[0], rates[0])
            title =
                "learning rate \(Display.power(rates[0])), effective patch \(Display.effective(patches[0]))"
            groups = losses.map { loss in
                Group(text: Display.loss(loss), runs: all.filter { $0.key == loss })
            }
        } else if patches.count > 1 {
            title = "effective patch (learning rate \(Display.power(rates[0])))"
            groups = patches.map { Group(text: Display.effective($0), runs: runs($0, rates[0])) }
        } else {
            title = "learning rate (effective patch \(Display.effective(patches[0])))"
            groups = rates.map { Group(text: Display.power($0), runs: runs(patches[0], $0)) }
        }
    }

    /// - Parameter last: ``Comparison/lastSteps``.
    static func caption(last: String) -> String {
        "A dot is the median DSC over the last \(last), its line reaches from the lower to the upper quartile."
    }

    func draw(in frame: Frame, _ drawing: inout Drawing) {
        let y = Scale(0...1, from: frame.bottom - 5, to: frame.y + 5)
        let ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
        let marks = zip(ticks, Ticks.texts(ticks)).map { Mark(position: y($0), text: $1) }
        drawing.horizontalGrid(marks, in: frame)
        drawing.border(frame)
        drawing.verticalAxis(marks, leftOf: frame, title: "DSC", room: 38)
        let step = frame.width / Double(groups.count)
        func place(_ group: Int, _ loss: Int) -> Double {
            let middle = frame.x + step * (Double(group) + 0.5)
            guard groups[group].runs.count > 1 else { return middle }
            // Losses stand side by side, so that their lines do not hide each other.
            return middle + (Double(loss) - Double(losses.count - 1) / 2)
                * min(14, step / Double(losses.count + 1))
        }
        drawing.horizontalAxis(
            groups.enumerated().map {
                Mark(position: frame.x + step * (Double($0.offset) + 0.5), text: $0.element.text)
            }, below: frame, title: title)
        for (index, loss) in losses.enumerated() {
            let colour = Palette.colour(ofLoss: loss, among: losses)
            var medians: [Point] = []
            for (group, entry) in groups.enumerated() {
                guard let run = entry.runs[loss], let spread = comparison.dice(of: run) else { continue }
                let x = place(group, index)
                drawing.line(
                    Point(x, y(spread.lower)), Point(x, y(spread.upper)),
                    "stroke=\"\(colour)\" stroke-width=\"2\" stroke-opacity=\"0.6\"")
                medians.append(Point(x, y(spread.median)))
                drawing.circle(
                    Point(x, y(spread.median)), radius: 4, "fill=\"\(colour)\"",
                    tooltip: "\(run.name): \(Display.spread(spread))")
            }
            drawing.path([medians], "fill=\"none\" stroke=\"\(colour)\" stroke-opacity=\"0.5\"")
        }
        drawing.legend(
            losses.map { (Display.loss($0), Palette.colour(ofLoss: $0, among: losses)) },
            at: Point(frame.x + 50, frame.y - 19))
    }
}
