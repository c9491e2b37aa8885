import RunFiles

/// The paper's Figure 3: DSC of the held-out subjects by patch size (left) and by learning rate (right), a
/// row a network.
struct BoxPlotFigure {
    private let comparison: Comparison
    private let networks: [String]
    /// Those with scores.
    private let losses: [String]

    private static let width = 860.0
    private static let rowHeight = 250.0
    private static let panelHeight = 170.0
    private static let top = 30.0

    static let number = "Figure 3"
    static let title = "DSC of held-out subjects"

    /// - Returns: nil where no run has scores of held-out subjects.
    static func make(_ comparison: Comparison) -> Figure? {
        let scored = comparison.runs.filter { $0.result?.heldOut != nil }
        let networks = comparison.networks.filter { network in scored.contains { $0.network == network } }
        let losses = comparison.losses.filter { loss in scored.contains { $0.loss == loss } }
        guard !scored.isEmpty else { return nil }
        return BoxPlotFigure(comparison: comparison, networks: networks, losses: losses).figure
    }

    private var figure: Figure {
        var drawing = Drawing(
            width: Self.width, height: Self.top + Self.rowHeight * Double(networks.count) - 14)
        drawing.legend(
            losses.map { (Display.loss($0), Palette.colour(ofLoss: $0, among: losses)) }, at: Point(56, 17))
        for (index, network) in networks.enumerated() {
            row(network, y: Self.top + Self.rowHeight * Double(index), &drawing)
        }
        return Figure(
            number: Self.number, name: "figure3_held_out", title: Self.title, caption: caption,
            drawing: drawing)
    }

    private var caption: String {
        let subjects = Set(
            comparison.runs.flatMap { $0.result?.heldOut?.scores.map(\.subject) ?? [] }
        ).count
        let omitted = comparison.losses.filter { !losses.contains($0) }
        var text = """
            DSC of the \(Quantity.counted(subjects, "subject")) that no run was trained on, by effective patch size \
            over all learning rates (left) and by learning rate over all patch sizes (right). A box reaches from the \
            lower to the upper quartile, its line is the median; whiskers reach to the farthest value within 1.5 \
            interquartile ranges, and dots are values beyond. Fewer than five values are dots alone.
            """
        if !omitted.isEmpty {
            text += " Without scores, and so left out: \(Display.list(omitted.map(Display.loss)))."
        }
        return text
    }

    /// What a group of boxes stands for.
    private struct Group {
        let text: String
        let includes: (ComparedRun) -> Bool
    }

    private func row(_ network: String, y: Double, _ drawing: inout Drawing) {
        let patches = comparison.patches(of: network).map { patch in
            Group(text: Display.effective(patch)) { $0.network == network && $0.patch == patch }
        }
        let rates = comparison.learningRates(of: network).map { rate in
            Group(text: Display.power(rate)) { $0.network == network && $0.learningRate == rate }
        }
        drawing.text(Display.network(network), at: Point(8, y + 15), .start, "class=\"strong\"")
        let width = (Self.width - 56 - 12 - 26) / 2
        let left = Frame(x: 56, y: y + 26, width: width, height: Self.panelHeight)
        let right = Frame(x: 56 + width + 26, y: y + 26, width: width, height: Self.panelHeight)
        panel(patches, "effective patch", in: left, isFirst: true, &drawing)
        panel(rates, "learning rate", in: right, isFirst: false, &drawing)
    }

    private func panel(
        _ groups: [Group], _ title: String, in frame: Frame, isFirst: Bool, _ drawing: inout Drawing
    ) {
        let y = Scale(0...1, from: frame.bottom - 5, to: frame.y + 5)
        let ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
        let marks = zip(ticks, Ticks.texts(ticks)).map { Mark(position: y($0), text: $1) }
        drawing.horizontalGrid(marks, in: frame)
        drawing.verticalAxis(
            isFirst ? marks : marks.map { Mark(position: $0.position, text: "") }, leftOf: frame,
            title: isFirst ? "DSC" : nil, room: 38)
        let step = frame.width / Double(groups.count)
        for (index, group) in groups.enumerated() {
            let begin = frame.x + step * Double(index)
            if index > 0 {
                drawing.line(Point(begin, frame.y), Point(begin, frame.bottom), "class=\"grid\"")
            }
            let room = step * 0.8 / Double(losses.count)
            for (place, loss) in losses.enumerated() {
                let values = comparison.heldOut(loss, where: group.includes)
                let centre = begin + step * 0.1 + room * (Double(place) + 0.5)
                box(
                    values, at: centre, width: min(34, room * 0.72), y,
                    colour: Palette.colour(ofLoss: loss, among: losses),
                    name: "\(Display.loss(loss)), \(group.text)", &drawing)
            }
        }
        drawing.border(frame)
        drawing.horizontalAxis(
            groups.enumerated().map {
                Mark(position: frame.x + step * (Double($0.offset) + 0.5), text: $0.element.text)
            }, below: frame, title: title)
    }

    private func box(
        _ values: [Double], at x: Double, width: Double, _ y: Scale, colour: String, name: String,
        _ drawing: inout Drawing
    ) {
        guard let summary = BoxSummary(of: values) else { return }
        guard summary.count >= 5 else {
            for value in values {
                drawing.circle(
                    Point(x, y(value)), radius: 3, "fill=\"\(colour)\" fill-opacity=\"0.8\"",
                    tooltip: "\(name): \(Display.fixed(value, 2))")
            }
            return
        }
        let (spread, whiskers) = (summary.spread, summary.whiskers)
        let stroke = "stroke=\"\(colour)\" stroke-width=\"1.4\""
        for (quartile, end) in [(spread.upper, whiskers.upperBound), (spread.lower, whiskers.lowerBound)] {
            drawing.line(Point(x, y(quartile)), Point(x, y(end)), stroke)
            drawing.line(Point(x - width / 4, y(end)), Point(x + width / 4, y(end)), stroke)
        }
        drawing.rectangle(
            Frame(
                x: x - width / 2, y: y(spread.upper), width: width,
                height: max(y(spread.lower) - y(spread.upper), 0.5)),
            "\(stroke) fill=\"\(colour)\" fill-opacity=\"0.28\" rx=\"1.5\"",
            tooltip: "\(name): \(Display.spread(spread)), \(summary.count) scores")
        drawing.line(
            Point(x - width / 2, y(spread.median)), Point(x + width / 2, y(spread.median)),
            "stroke=\"\(colour)\" stroke-width=\"2.6\"")
        for outlier in summary.outliers {
            drawing.circle(
                Point(x, y(outlier)), radius: 2.2, "fill=\"\(colour)\"",
                tooltip: "\(name): \(Display.fixed(outlier, 2))")
        }
    }
}
