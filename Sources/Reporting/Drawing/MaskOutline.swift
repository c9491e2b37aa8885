/// The border of a mask along the edges of its pixels, as closed lines.
enum MaskOutline {
    /// - Parameter mask: `width * height`, rows from the top.
    /// - Returns: the corners of each closed line, in pixels from the upper left corner; the mask lies to the
    ///   right of the way along them. Pixels that touch at a corner alone have lines of their own.
    static func trace(_ mask: [Bool], width: Int, height: Int) -> [[Point]] {
        precondition(mask.count == width * height, "\(mask.count) pixels for \(width) x \(height)")
        func isInside(_ x: Int, _ y: Int) -> Bool {
            0 <= x && x < width && 0 <= y && y < height && mask[y * width + x]
        }
        // From each corner, the sides that begin there and have the mask on their right.
        var sides: [Corner: [Direction]] = [:]
        for y in 0..<height {
            for x in 0..<width where isInside(x, y) {
                if !isInside(x, y - 1) { sides[Corner(x, y), default: []].append(.right) }
                if !isInside(x + 1, y) { sides[Corner(x + 1, y), default: []].append(.down) }
                if !isInside(x, y + 1) { sides[Corner(x + 1, y + 1), default: []].append(.left) }
                if !isInside(x - 1, y) { sides[Corner(x, y + 1), default: []].append(.up) }
            }
        }
        var lines: [[Point]] = []
        for start in sides.keys.sorted() {
            while let first = sides[start]?.first {
                lines.append(follow(from: start, first, &sides))
            }
        }
        return lines
    }

    private static func follow(
        from start: Corner, _ first: Direction, _ sides: inout [Corner: [Direction]]
    ) -> [Point] {
        var points: [Point] = []
        var (corner, direction) = (start, first)
        var previous: Direction?
        while let index = sides[corner]?.firstIndex(of: direction) {
            sides[corner]?.remove(at: index)
            if direction != previous { points.append(Point(Double(corner.x), Double(corner.y))) }
            previous = direction
            corner = corner.next(direction)
            let choices = sides[corner] ?? []
            // Where two pixels touch at a corner, the sharper turn stays with its own pixel.
            direction =
                choices.contains(direction.turnedRight) ? direction.turnedRight : choices.first ?? direction
        }
        return points
    }

    private enum Direction: Int {
        case right, down, left, up
        var turnedRight: Direction { Direction(rawValue: (rawValue + 1) % 4) ?? .right }
    }

    private struct Corner: Hashable, Comparable {
        let x: Int
        let y: Int

        init(_ x: Int, _ y: Int) { (self.x, self.y) = (x, y) }

        static func < (a: Corner, b: Corner) -> Bool { (a.y, a.x) < (b.y, b.x) }

        func next(_ direction: Direction) -> Corner {
            switch direction {
            case .right: Corner(x + 1, y)
            case .down: Corner(x, y + 1)
            case .left: Corner(x - 1, y)
            case .up: Corner(x, y - 1)
            }
        }
    }
}
