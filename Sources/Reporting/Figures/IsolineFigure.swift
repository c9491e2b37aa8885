import Foundation

/// The paper's Figures 1 and 2: isolines of the median DSC over learning rate and effective patch size, a row
/// of panels a network, a panel a loss.
///
/// A network with one learning rate or one patch size has no such plane: its row shows medians and quartiles
/// over what there is.
struct IsolineFigure {
    private let comparison: Comparison
    private let dimensions: Int
    private let networks: [String]
    private let losses: [String]
    private let levels: ShadeLevels

    private static let left = 74.0
    private static let panelHeight = 150.0
    private static let gap = 20.0
    private static let rowHeight = 218.0
    private static let width = 860.0
    private static let scaleWidth = 74.0

    /// - Returns: nil where the comparison has no network of these dimensions.
    static func make(_ comparison: Comparison, dimensions: Int) -> Figure? {
        let networks = comparison.networks(dimensions: dimensions)
        guard !networks.isEmpty else { return nil }
        return IsolineFigure(comparison, dimensions, networks).figure
    }

    private init(_ comparison: Comparison, _ dimensions: Int, _ networks: [String]) {
        (self.comparison, self.dimensions, self.networks) = (comparison, dimensions, networks)
        losses = comparison.losses.filter { loss in
            networks.contains { comparison.losses(of: $0).contains(loss) }
        }
        levels = ShadeLevels(
            covering: comparison.runs.filter { $0.patch.isFlat == (dimensions == 2) }
                .compactMap { comparison.dice(of: $0)?.median })
    }

    private func hasPlane(_ network: String) -> Bool {
        comparison.patches(of: network, dimensions: dimensions).count > 1
            && comparison.learningRates(of: network).count > 1
    }

    private var figure: Figure {
        var drawing = Drawing(width: Self.width, height: Self.rowHeight * Double(networks.count) + 6)
        for (index, network) in networks.enumerated() {
            let y = Self.rowHeight * Double(index)
            drawing.text(Display.network(network), at: Point(8, y + 15), .start, "class=\"strong\"")
            if hasPlane(network) {
                planes(of: network, y: y + 34, in: &drawing)
            } else {
                let frame = Frame(
                    x: Self.left, y: y + 34, width: Self.width - Self.left - 12, height: Self.panelHeight)
                SpreadPanel(comparison, network: network, dimensions: dimensions).draw(
                    in: frame, &drawing)
            }
        }
        if networks.contains(where: hasPlane) { scale(in: &drawing) }
        let isPlane = networks.contains(where: hasPlane)
        return Figure(
            number: dimensions == 2 ? "Figure 1" : "Figure 2",
            name: dimensions == 2 ? "figure1_isolines_2d" : "figure2_isolines_3d",
            title: "Median DSC by learning rate and effective patch size, \(dimensions)D networks",
            caption: isPlane ? planeCaption : SpreadPanel.caption(last: comparison.lastSteps),
            drawing: drawing)
    }

    private var planeCaption: String {
        var caption = """
            Lines join settings with the same median DSC over the last \(comparison.lastSteps), interpolated linearly \
            between the runs, which are the dots. The brighter a panel, and the wider its bright part, the better a loss \
            copes with the choice of learning rate and patch size. All panels share the scale on the right; a cross is a \
            run without a result.
            """
        if networks.contains(where: { !hasPlane($0) }) {
            caption +=
                " Where only one of the two was varied: " + SpreadPanel.caption(last: comparison.lastSteps)
        }
        return caption
    }

    // MARK: Panels

    private var panelWidth: Double {
        let room = Self.width - Self.left - Self.scaleWidth
        return min(170, room / Double(losses.count) - Self.gap)
    }

    private func planes(of network: String, y: Double, in drawing: inout Drawing) {
        let width = panelWidth
        for (column, loss) in losses.enumerated() {
            let frame = Frame(
                x: Self.left + Double(column) * (width + Self.gap), y: y, width: width,
                height: Self.panelHeight)
            drawing.text(Display.loss(loss), at: Point(frame.middle.x, y - 8), .middle, "class=\"strong\"")
            plane(network, loss, in: frame, isFirst: column == 0, &drawing)
        }
    }

    private func plane(
        _ network: String, _ loss: String, in frame: Frame, isFirst: Bool, _ drawing: inout Drawing
    ) {
        let patches = comparison.patches(of: network, dimensions: dimensions)
        let rates = comparison.learningRates(of: network)
        let edges = patches.map(\.effectiveEdge)
        let x = Scale(rates[0]...rates[rates.count - 1], from: frame.x, to: frame.right, isLogarithmic: true)
        let y = Scale(edges[0]...edges[edges.count - 1], from: frame.bottom, to: frame.y)
        let runs = patches.map { patch in rates.map { comparison.run(network, patch, $0, loss) } }
        let values = runs.map { $0.map { $0.flatMap { comparison.dice(of: $0)?.median } } }
        // Places in pixels, so that what is linear there is linear in the logarithm of the learning rate.
        // Upwards.
        let grid = ScalarGrid(xs: rates.map { x($0) }, ys: edges.map { -y($0) }, values: values).refined(12)
        func flipped(_ lines: [[Point]]) -> [[Point]] { lines.map { $0.map { Point($0.x, -$0.y) } } }

        drawing.rectangle(frame, "class=\"empty\"")
        for (index, bound) in levels.bounds.enumerated() {
            let region = flipped(grid.regions(atLeast: index == 0 ? -1e300 : bound))
            drawing.path(
                region, closed: true, "fill=\"\(levels.colour(index))\" fill-rule=\"evenodd\" stroke=\"none\""
            )
        }
        var labels = patches.flatMap { patch in rates.map { Point(x($0), y(patch.effectiveEdge)) } }
        for bound in levels.bounds.dropFirst() {
            let lines = flipped(grid.isolines(at: bound))
            drawing.path(lines, "class=\"isoline\"")
            label(lines, bound, in: frame, &labels, &drawing)
        }
        drawing.border(frame)
        for (row, patch) in patches.enumerated() {
            for (column, rate) in rates.enumerated() {
                node(runs[row][column], at: Point(x(rate), y(patch.effectiveEdge)), &drawing)
            }
        }
        drawing.horizontalAxis(
            rates.map { Mark(position: x($0), text: Display.power($0)) }, below: frame, title: "learning rate"
        )
        let marks = patches.map { Mark(position: y($0.effectiveEdge), text: Display.effective($0)) }
        drawing.verticalAxis(
            isFirst ? marks : marks.map { Mark(position: $0.position, text: "") }, leftOf: frame,
            title: isFirst ? "effective patch" : nil, room: 50)
    }

    /// A run's place: a dot, or a cross where it has no result.
    private func node(_ run: ComparedRun?, at place: Point, _ drawing: inout Drawing) {
        if let run, let spread = comparison.dice(of: run) {
            drawing.circle(
                place, radius: 2.6, "class=\"node\"", tooltip: "\(run.name): \(Display.spread(spread))")
        } else {
            let r = 3.5
            drawing.path(
                [
                    [Point(place.x - r, place.y - r), Point(place.x + r, place.y + r)],
                    [Point(place.x - r, place.y + r), Point(place.x + r, place.y - r)],
                ], "class=\"cross\"", tooltip: run.map { "\($0.name): no result" } ?? "not run")
        }
    }

    /// Writes the level on the longest line, where no node and no other label is near.
    private func label(
        _ lines: [[Point]], _ level: Double, in frame: Frame, _ labels: inout [Point],
        _ drawing: inout Drawing
    ) {
        func length(_ line: [Point]) -> Double {
            zip(line, line.dropFirst()).reduce(0) { $0 + $1.0.distance(to: $1.1) }
        }
        guard let longest = lines.max(by: { length($0) < length($1) }), length(longest) > 36 else { return }
        for share in [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8] {
            let place = longest[Int(share * Double(longest.count - 1))]
            let isInside =
                place.x > frame.x + 15 && place.x < frame.right - 15 && place.y > frame.y + 9
                && place.y < frame.bottom - 9
            guard isInside, labels.allSatisfy({ $0.distance(to: place) > 20 }) else { continue }
            labels.append(place)
            drawing.rectangle(
                Frame(x: place.x - 11, y: place.y - 6.5, width: 22, height: 13), "rx=\"3\" class=\"plate\"")
            drawing.text(
                Display.fixed(level, levels.decimals), at: Point(place.x, place.y + 3.4), .middle,
                "class=\"level\"")
            return
        }
    }

    /// The colours of the shades, on the right of the first row.
    private func scale(in drawing: inout Drawing) {
        let row = networks.firstIndex(where: hasPlane) ?? 0
        let frame = Frame(
            x: Self.left + Double(losses.count) * (panelWidth + Self.gap) + 12,
            y: Self.rowHeight * Double(row) + 34, width: 14,
            height: Self.panelHeight)
        let height = frame.height / Double(levels.count)
        for (index, bound) in levels.bounds.enumerated() {
            let y = frame.bottom - Double(index) * height
            drawing.rectangle(
                Frame(x: frame.x, y: y - height, width: frame.width, height: height),
                "fill=\"\(levels.colour(index))\"")
            drawing.text(
                Display.fixed(bound, levels.decimals), at: Point(frame.right + 5, y + 3.8), .start,
                "class=\"muted\"")
        }
        drawing.text(
            Display.fixed(levels.range.upperBound, levels.decimals),
            at: Point(frame.right + 5, frame.y + 3.8),
            .start, "class=\"muted\"")
        drawing.text("DSC", at: Point(frame.x, frame.y - 10), .start)
        drawing.border(frame)
    }
}
