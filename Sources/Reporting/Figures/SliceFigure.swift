/// The paper's Figure 4: a slice and, below it, an enlarged part around the lesions.
struct SliceFigure {
    private let comparison: SliceComparison
    private var slice: SliceComparison.Slice { comparison.slice }

    static let number = "Figure 4"
    static let title = "A held-out subject segmented after training with each loss"
    private static let width = 860.0
    private static let gap = 8.0

    private enum Layer {
        case image, reference
        case prediction(SliceComparison.Prediction)
    }

    static func make(_ comparison: SliceComparison) -> Figure { SliceFigure(comparison: comparison).figure }

    private var figure: Figure {
        let layers: [Layer] = [.image, .reference] + slice.predictions.map { .prediction($0) }
        let count = Double(layers.count)
        let width = min(190, (Self.width - Self.gap * (count - 1)) / count)
        let whole = Frame(x: 0, y: 0, width: Double(slice.width), height: Double(slice.height))
        let part = enlarged
        let heights = [whole, part].map { $0.height * slice.aspect * width / $0.width }
        let top = 46.0
        var drawing = Drawing(
            width: (width + Self.gap) * count - Self.gap,
            height: top + heights[0] + Self.gap + heights[1] + 30)
        let png = PNG.grey(slice.grey, width: slice.width, height: slice.height)
        for (column, layer) in layers.enumerated() {
            let x = Double(column) * (width + Self.gap)
            heading(layer, at: Point(x + width / 2, 0), &drawing)
            let upper = Frame(x: x, y: top, width: width, height: heights[0])
            let lower = Frame(x: x, y: top + heights[0] + Self.gap, width: width, height: heights[1])
            panel(png, layer, part: whole, in: upper, id: "figure4-\(column)-whole", &drawing)
            panel(png, layer, part: part, in: lower, id: "figure4-\(column)-part", &drawing)
            if column == 0 {
                drawing.rectangle(
                    place(of: part, whole, in: upper),
                    "fill=\"none\" stroke=\"#FFFFFF\" stroke-dasharray=\"3 2\"")
            }
        }
        drawing.legend(
            [("reference", Self.referenceColour), ("prediction", Self.predictionColour)],
            at: Point(0, drawing.height - 8))
        return Figure(
            number: Self.number, name: "figure4_slices", title: Self.title, caption: caption, drawing: drawing
        )
    }

    private static let referenceColour = "#F0E442"
    private static let predictionColour = "#56B4E9"

    private var caption: String {
        """
        The slice of \(comparison.subject) with the most foreground (\(comparison.modality)), and below it the part \
        around the largest lesion. Predictions are filled, the reference is outlined; a filled part without outline is \
        a false alarm, an outline that is not filled a lesion that was missed. The number is the DSC of the whole \
        volume. \(comparison.setting).
        """
    }

    private func heading(_ layer: Layer, at place: Point, _ drawing: inout Drawing) {
        let (title, note): (String, String) =
            switch layer {
            case .image: ("image", comparison.modality)
            case .reference: ("reference", "")
            case .prediction(let one): (Display.loss(one.loss), "DSC \(Display.fixed(one.dice, 2))")
            }
        drawing.text(title, at: Point(place.x, 16), .middle, "class=\"strong\"")
        drawing.text(note, at: Point(place.x, 34), .middle, "class=\"muted\"")
    }

    /// A part of the slice, stretched over a frame.
    private func panel(
        _ png: [UInt8], _ layer: Layer, part: Frame, in frame: Frame, id: String, _ drawing: inout Drawing
    ) {
        let scale = Point(frame.width / part.width, frame.height / part.height)
        func outline(_ mask: [Bool]) -> [[Point]] {
            MaskOutline.trace(mask, width: slice.width, height: slice.height).map { line in
                line.map {
                    Point(frame.x + ($0.x - part.x) * scale.x, frame.y + ($0.y - part.y) * scale.y)
                }
            }
        }
        drawing.clipped(to: frame, id: id) { drawing in
            drawing.image(
                png,
                in: Frame(
                    x: frame.x - part.x * scale.x, y: frame.y - part.y * scale.y,
                    width: Double(slice.width) * scale.x, height: Double(slice.height) * scale.y))
            if case .prediction(let prediction) = layer {
                drawing.path(
                    outline(prediction.mask), closed: true,
                    "fill=\"\(Self.predictionColour)\" fill-opacity=\"0.75\" fill-rule=\"evenodd\"")
            }
            if case .image = layer { return }
            // Thin where voxels are small, so that it does not hide them.
            let width = Display.fixed(min(1.4, max(0.6, 0.35 * scale.x)), 2)
            drawing.path(
                outline(slice.reference), closed: true,
                "fill=\"none\" stroke=\"\(Self.referenceColour)\" stroke-width=\"\(width)\"")
        }
    }

    private func place(of part: Frame, _ whole: Frame, in frame: Frame) -> Frame {
        let (x, y) = (frame.width / whole.width, frame.height / whole.height)
        return Frame(
            x: frame.x + part.x * x, y: frame.y + part.y * y, width: part.width * x, height: part.height * y)
    }

    /// A third of the slice's sides around the middle of the largest connected line of the reference.
    private var enlarged: Frame {
        let width = max(8, slice.width / 3)
        let height = max(8, slice.height / 3)
        let lines = MaskOutline.trace(slice.reference, width: slice.width, height: slice.height)
        func box(_ line: [Point]) -> (Point, Double) {
            let (xs, ys) = (line.map(\.x), line.map(\.y))
            let (left, right) = (xs.min() ?? 0, xs.max() ?? 0)
            let (top, bottom) = (ys.min() ?? 0, ys.max() ?? 0)
            return (Point((left + right) / 2, (top + bottom) / 2), (right - left) * (bottom - top))
        }
        let middle =
            lines.map(box).max { $0.1 < $1.1 }?.0
            ?? Point(Double(slice.width) / 2, Double(slice.height) / 2)
        func begin(_ middle: Double, _ length: Int, _ total: Int) -> Double {
            min(max(0, (middle - Double(length) / 2).rounded()), Double(max(0, total - length)))
        }
        return Frame(
            x: begin(middle.x, width, slice.width), y: begin(middle.y, height, slice.height),
            width: Double(min(width, slice.width)), height: Double(min(height, slice.height)))
    }
}
