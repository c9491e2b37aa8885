import RunFiles

/// How a network's trainings went, in small panels with the same steps.
struct CurvesFigure {
    /// What a panel's curves have in common, and what tells them apart.
    private struct Layout {
        let rows: [String]
        let columns: [String]
        let curves: [(name: String, colour: String)]
        /// By row, column and curve.
        let run: (Int, Int, Int) -> ComparedRun?
        let value: (StepRecords) -> [Double]
        let axis: String
        /// The vertical range of a column; nil: what its curves need.
        let range: ClosedRange<Double>?
    }

    private static let left = 64.0
    private static let top = 58.0
    private static let gap = 16.0
    private static let width = 860.0

    /// DSC: a row a patch size, a column a learning rate, a curve a loss.
    /// - Returns: nil where no run of the network has recorded a step.
    static func dice(_ comparison: Comparison, network: String, number: String) -> Figure? {
        let patches = comparison.patches(of: network)
        let rates = comparison.learningRates(of: network)
        let losses = comparison.losses(of: network)
        let layout = Layout(
            rows: patches.map { "patch \(Display.size($0.size))" },
            columns: rates.map { "learning rate \(Display.power($0))" },
            curves: losses.map { (Display.loss($0), Palette.colour(ofLoss: $0, among: losses)) },
            run: { comparison.run(network, patches[$0], rates[$1], losses[$2]) },
            value: \.dice, axis: "DSC", range: -0.03...1)
        return figure(
            layout, comparison, network: network, number: number, name: "curves_dsc_\(network)",
            title: "DSC during training, \(Display.network(network))")
    }

    /// Loss: a row a patch size, a column a loss, for each has its own scale; a curve a learning rate.
    /// - Returns: nil where no run of the network has recorded a step.
    static func loss(_ comparison: Comparison, network: String, number: String) -> Figure? {
        let patches = comparison.patches(of: network)
        let rates = comparison.learningRates(of: network)
        let losses = comparison.losses(of: network)
        let layout = Layout(
            rows: patches.map { "patch \(Display.size($0.size))" }, columns: losses.map(Display.loss),
            curves: rates.enumerated().map {
                (Display.power($0.element), Palette.ordered($0.offset, of: rates.count))
            },
            run: { comparison.run(network, patches[$0], rates[$2], losses[$1]) },
            value: \.loss, axis: "loss", range: nil)
        return figure(
            layout, comparison, network: network, number: number, name: "curves_loss_\(network)",
            title: "Loss during training, \(Display.network(network))")
    }

    private static func figure(
        _ layout: Layout, _ comparison: Comparison, network: String, number: String, name: String,
        title: String
    ) -> Figure? {
        let records = comparison.runs.filter { $0.network == network }.compactMap { $0.record?.records }
        guard let steps = records.compactMap(\.steps.last).max() else { return nil }
        let window = TrainingCurve.window(records: records.map(\.steps.count).max() ?? 1)
        let columns = Double(layout.columns.count)
        // Each column has marks of its own where it has a scale of its own.
        let between = layout.range == nil ? gap + 26 : gap
        let width = (Self.width - left - 10 - between * (columns - 1)) / columns
        let height = min(130, max(84, width * 0.55))
        let rowHeight = height + gap
        var drawing = Drawing(
            width: Self.width, height: top + rowHeight * Double(layout.rows.count) - gap + 40)
        drawing.legend(layout.curves, at: Point(left, 17))
        for column in layout.columns.indices {
            let curves = layout.rows.indices.map { row in
                Self.curves(layout, row: row, column: column, window: window)
            }
            let range =
                layout.range ?? Self.range(curves.flatMap { $0.compactMap { $0?.values } }.flatMap { $0 })
            for row in layout.rows.indices {
                let frame = Frame(
                    x: left + Double(column) * (width + between), y: top + Double(row) * rowHeight,
                    width: width, height: height)
                panel(
                    curves[row], layout, steps: steps, range: range, in: frame,
                    showsMarks: column == 0 || layout.range == nil,
                    isLast: row == layout.rows.count - 1, &drawing)
                if row == 0 {
                    drawing.text(
                        layout.columns[column], at: Point(frame.middle.x, top - 9), .middle,
                        "class=\"strong\"")
                }
                if column == 0 {
                    drawing.text(
                        layout.rows[row], at: Point(12, frame.middle.y), .middle, "class=\"strong\"",
                        turned: true)
                }
            }
        }
        let caption =
            "Running median of \(layout.axis) over \(Quantity.counted(window, "recorded step")) of the "
            + "training batch: a row a patch size, a column a \(layout.range == nil ? "loss" : "learning rate"). "
            + "A curve that ends early belongs to a run that failed or was stopped."
        return Figure(number: number, name: name, title: title, caption: caption, drawing: drawing)
    }

    private static func curves(_ layout: Layout, row: Int, column: Int, window: Int) -> [TrainingCurve?] {
        layout.curves.indices.map { index in
            layout.run(row, column, index)?.record.map { record in
                TrainingCurve(
                    steps: record.records.steps, values: layout.value(record.records), window: window)
            }
        }
    }

    /// What a column of panels shows: all values, but none of the first ones that would press the others
    /// flat.
    private static func range(_ values: [Double]) -> ClosedRange<Double> {
        let ordered = values.filter(\.isFinite).sorted()
        guard let low = ordered.first, let high = ordered.last, low < high else {
            return (ordered.first ?? 0) - 0.5...(ordered.first ?? 0) + 0.5
        }
        let most = ordered[Int(0.98 * Double(ordered.count - 1))]
        let top = high - low > 4 * (most - low) && most > low ? most : high
        return low - 0.04 * (top - low)...top + 0.04 * (top - low)
    }

    private static func panel(
        _ curves: [TrainingCurve?], _ layout: Layout, steps: Int, range: ClosedRange<Double>,
        in frame: Frame, showsMarks: Bool, isLast: Bool, _ drawing: inout Drawing
    ) {
        let x = Scale(0...Double(max(steps, 1)), from: frame.x, to: frame.right)
        let y = Scale(range, from: frame.bottom, to: frame.y)
        let ticks = Ticks.round(in: range, atMost: 6)
        let marks = zip(ticks, Ticks.texts(ticks)).map { Mark(position: y($0), text: $1) }
        drawing.horizontalGrid(marks, in: frame)
        drawing.verticalAxis(
            showsMarks ? marks : [], leftOf: frame, title: frame.x == left ? layout.axis : nil, room: 34)
        for (curve, entry) in zip(curves, layout.curves) {
            guard let curve else { continue }
            let points = zip(curve.steps, curve.values).filter(\.1.isFinite).map {
                Point(x($0), min(max(y($1), frame.y), frame.bottom))
            }
            drawing.path(
                [points],
                "fill=\"none\" stroke=\"\(entry.colour)\" stroke-width=\"1.5\" stroke-linejoin=\"round\"")
        }
        drawing.border(frame)
        guard isLast else { return }
        let stepTicks = Ticks.round(in: x.domain, atMost: frame.width < 150 ? 3 : 5)
        drawing.horizontalAxis(
            zip(stepTicks, Ticks.texts(stepTicks)).map { Mark(position: x($0), text: $1) }, below: frame,
            title: "step")
    }
}
