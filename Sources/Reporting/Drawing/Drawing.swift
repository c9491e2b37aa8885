/// A vector drawing that is written as SVG.
///
/// Ink, lines and surfaces have classes and no colours, so that a page can show them light or dark; what
/// means something by its colour has it as an attribute. Coordinates are in pixels, x to the right, y down,
/// written to two decimals.
struct Drawing {
    let width: Double
    let height: Double
    private(set) var elements: [String] = []

    init(width: Double, height: Double) { (self.width, self.height) = (width, height) }

    // MARK: Shapes

    /// - Parameter style: `class="axis"`, `fill="#fff"` and the like.
    mutating func line(_ from: Point, _ to: Point, _ style: String) {
        add("line", "x1=\"\(n(from.x))\" y1=\"\(n(from.y))\" x2=\"\(n(to.x))\" y2=\"\(n(to.y))\" \(style)")
    }

    mutating func rectangle(_ frame: Frame, _ style: String, tooltip: String? = nil) {
        let place =
            "x=\"\(n(frame.x))\" y=\"\(n(frame.y))\" width=\"\(n(frame.width))\" height=\"\(n(frame.height))\""
        add("rect", "\(place) \(style)", tooltip: tooltip)
    }

    mutating func circle(_ centre: Point, radius: Double, _ style: String, tooltip: String? = nil) {
        add(
            "circle", "cx=\"\(n(centre.x))\" cy=\"\(n(centre.y))\" r=\"\(n(radius))\" \(style)",
            tooltip: tooltip)
    }

    /// Straight lines through the points of each part.
    mutating func path(_ parts: [[Point]], closed: Bool = false, _ style: String, tooltip: String? = nil) {
        guard parts.contains(where: { $0.count > 1 }) else { return }
        let data = parts.filter { $0.count > 1 }.map { part in
            "M" + part.map { "\(n($0.x)) \(n($0.y))" }.joined(separator: "L") + (closed ? "Z" : "")
        }
        add("path", "d=\"\(data.joined())\" \(style)", tooltip: tooltip)
    }

    enum Anchor: String { case start, middle, end }

    /// - Parameter at: where the text begins, ends or has its middle, on its base line.
    mutating func text(
        _ text: String, at place: Point, _ anchor: Anchor = .start, _ style: String = "", turned: Bool = false
    ) {
        var attributes = "x=\"\(n(place.x))\" y=\"\(n(place.y))\""
        if anchor != .start { attributes += " text-anchor=\"\(anchor.rawValue)\"" }
        if turned { attributes += " transform=\"rotate(-90 \(n(place.x)) \(n(place.y)))\"" }
        if !style.isEmpty { attributes += " " + style }
        elements.append("<text \(attributes)>\(Self.escaped(text))</text>")
    }

    /// A picture stretched over a frame, its pixels kept sharp.
    mutating func image(_ png: [UInt8], in frame: Frame) {
        let place =
            "x=\"\(n(frame.x))\" y=\"\(n(frame.y))\" width=\"\(n(frame.width))\" height=\"\(n(frame.height))\""
        add(
            "image",
            place + " preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" "
                + "xlink:href=\"data:image/png;base64,\(PNG.base64(png))\"")
    }

    /// What `body` draws, moved and cut off outside of a frame.
    mutating func clipped(to frame: Frame, id: String, _ body: (inout Drawing) -> Void) {
        let place =
            "x=\"\(n(frame.x))\" y=\"\(n(frame.y))\" width=\"\(n(frame.width))\" height=\"\(n(frame.height))\""
        elements.append("<clipPath id=\"\(id)\"><rect \(place)/></clipPath><g clip-path=\"url(#\(id))\">")
        body(&self)
        elements.append("</g>")
    }

    private mutating func add(_ name: String, _ attributes: String, tooltip: String? = nil) {
        if let tooltip {
            elements.append("<\(name) \(attributes)><title>\(Self.escaped(tooltip))</title></\(name)>")
        } else {
            elements.append("<\(name) \(attributes)/>")
        }
    }

    // MARK: Text

    /// The SVG element.
    /// - Parameters:
    ///   - id: unique on a page.
    ///   - title: what it is; read out by screen readers, as the description is.
    ///   - isStandalone: for a file of its own: with a style sheet and a white ground.
    func svg(id: String, title: String, description: String, isStandalone: Bool) -> String {
        let size = "viewBox=\"0 0 \(n(width)) \(n(height))\" width=\"\(n(width))\" height=\"\(n(height))\""
        let names = "role=\"img\" aria-labelledby=\"\(id)-title \(id)-description\""
        let spaces = "xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\""
        let ground =
            isStandalone
            ? [
                "<style>\(StyleSheet.drawing)</style>",
                "<rect class=\"surface\" width=\"100%\" height=\"100%\"/>",
            ] : []
        let lines =
            ["<svg \(spaces) \(size) id=\"\(id)\" class=\"drawing\" \(names)>"]
            + [
                "<title id=\"\(id)-title\">\(Self.escaped(title))</title>",
                "<desc id=\"\(id)-description\">\(Self.escaped(description))</desc>",
            ] + ground + elements + ["</svg>"]
        return lines.joined(separator: "\n") + "\n"
    }

    /// For text and attributes of SVG and HTML.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    /// Roughly how wide a text is at the drawings' font size.
    static func width(of text: String, size: Double = 11) -> Double { Double(text.count) * size * 0.56 }

    private func n(_ value: Double) -> String {
        let hundredths = (value * 100).rounded()
        guard hundredths.truncatingRemainder(dividingBy: 100) != 0 else { return "\(Int(hundredths / 100))" }
        let text = Display.fixed(hundredths / 100, 2)
        return text.hasSuffix("0") ? String(text.dropLast()) : text
    }
}
