/// A place on an axis with what is written there.
struct Mark: Equatable {
    let position: Double
    let text: String
}

extension Drawing {
    /// The border of a panel.
    mutating func border(_ frame: Frame) { rectangle(frame, "class=\"axis\" fill=\"none\"") }

    /// Marks below a panel.
    mutating func horizontalAxis(_ marks: [Mark], below frame: Frame, title: String? = nil) {
        for mark in marks {
            line(Point(mark.position, frame.bottom), Point(mark.position, frame.bottom + 4), "class=\"axis\"")
            // At a panel's corners inwards, so that neighbouring panels' marks keep apart.
            let isFirst = mark.position - frame.x < 1
            let isLast = frame.right - mark.position < 1
            text(
                mark.text, at: Point(mark.position + (isFirst ? -3 : isLast ? 3 : 0), frame.bottom + 15),
                isFirst ? .start : isLast ? .end : .middle, "class=\"muted\"")
        }
        if let title { text(title, at: Point(frame.middle.x, frame.bottom + 31), .middle) }
    }

    /// Marks left of a panel.
    mutating func verticalAxis(_ marks: [Mark], leftOf frame: Frame, title: String? = nil, room: Double = 30)
    {
        for mark in marks {
            line(Point(frame.x - 4, mark.position), Point(frame.x, mark.position), "class=\"axis\"")
            text(mark.text, at: Point(frame.x - 7, mark.position + 3.8), .end, "class=\"muted\"")
        }
        if let title { text(title, at: Point(frame.x - room, frame.middle.y), .middle, turned: true) }
    }

    /// Faint lines across a panel.
    mutating func horizontalGrid(_ marks: [Mark], in frame: Frame) {
        for mark in marks {
            line(Point(frame.x, mark.position), Point(frame.right, mark.position), "class=\"grid\"")
        }
    }

    /// A row of names with their colours.
    /// - Returns: where it ends on the right.
    @discardableResult
    mutating func legend(_ entries: [(name: String, colour: String)], at place: Point) -> Double {
        var x = place.x
        for entry in entries {
            rectangle(Frame(x: x, y: place.y - 9, width: 11, height: 11), "rx=\"2\" fill=\"\(entry.colour)\"")
            text(entry.name, at: Point(x + 16, place.y))
            x += 34 + Self.width(of: entry.name)
        }
        return x
    }
}
