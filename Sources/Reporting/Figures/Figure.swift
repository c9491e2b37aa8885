/// A drawing with what is said about it.
public struct Figure: Sendable {
    /// "Figure 2".
    public let number: String
    /// The name of its file, without extension.
    public let name: String
    /// What it shows, without its number.
    public let title: String
    /// How it is read.
    public let caption: String
    let drawing: Drawing

    /// The file's text.
    public var svg: String {
        drawing.svg(id: name, title: "\(number). \(title)", description: caption, isStandalone: true)
    }

    /// For a page that has the style sheet.
    var inlineSVG: String {
        drawing.svg(id: name, title: "\(number). \(title)", description: caption, isStandalone: false)
    }
}

/// A figure that cannot be drawn, and why.
struct MissingFigure: Sendable {
    let number: String
    let title: String
    /// One sentence.
    let reason: String
}
