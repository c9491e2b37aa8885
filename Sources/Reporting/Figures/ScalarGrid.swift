/// Values on the nodes of a rectangular grid; between them they are interpolated linearly along each axis.
///
/// Places are in the grid's own units; a node without a value leaves the cells around it empty.
struct ScalarGrid {
    /// Ascending.
    let xs: [Double]
    /// Ascending.
    let ys: [Double]
    /// [y][x].
    let values: [[Double?]]

    init(xs: [Double], ys: [Double], values: [[Double?]]) {
        precondition(
            values.count == ys.count && values.allSatisfy { $0.count == xs.count },
            "\(values.map(\.count)) values for \(ys.count) rows of \(xs.count)")
        (self.xs, self.ys, self.values) = (xs, ys, values)
    }

    var known: [Double] { values.joined().compactMap { $0 } }

    /// The same with each cell cut into `parts * parts`, so that straight lines inside the new cells follow
    /// the curves of the interpolation.
    func refined(_ parts: Int) -> ScalarGrid {
        guard xs.count > 1, ys.count > 1 else { return self }
        func positions(_ count: Int) -> [(index: Int, share: Double)] {
            (0..<(count - 1) * parts).map { ($0 / parts, Double($0 % parts) / Double(parts)) }
                + [(count - 2, 1)]
        }
        func places(_ axis: [Double]) -> [Double] {
            positions(axis.count).map { axis[$0.index] + $0.share * (axis[$0.index + 1] - axis[$0.index]) }
        }
        let rows = positions(ys.count).map { row in
            positions(xs.count).map { column in
                interpolated(column.index, row.index, column.share, row.share)
            }
        }
        return ScalarGrid(xs: places(xs), ys: places(ys), values: rows)
    }

    /// At shares 0...1 of the cell whose lower corner is the node (x, y); nil where a node that counts has no
    /// value.
    private func interpolated(_ x: Int, _ y: Int, _ u: Double, _ v: Double) -> Double? {
        let corners = [
            (values[y][x], (1 - u) * (1 - v)), (values[y][x + 1], u * (1 - v)),
            (values[y + 1][x], (1 - u) * v), (values[y + 1][x + 1], u * v),
        ]
        var sum = 0.0
        for (value, weight) in corners where weight > 0 {
            guard let value else { return nil }
            sum += weight * value
        }
        return sum
    }

    /// The lines on which the values equal `level`, inside the cells whose corners all have values.
    /// - Returns: each from end to end; a closed one ends where it begins.
    func isolines(at level: Double) -> [[Point]] { lines(at: level).map(\.points) }

    /// The outlines of where the values are at least `level`, to be filled by the even-odd rule.
    func regions(atLeast level: Double) -> [[Point]] { surrounded.lines(at: level).map(\.points) }

    /// With a ring of nodes below every level, on the places of the outermost ones, so that lines close along
    /// the border.
    private var surrounded: ScalarGrid {
        let rows = values.map { row in
            [-Double.infinity] + row.map { $0 ?? -.infinity } + [-Double.infinity]
        }
        let outside = [Double?](repeating: -.infinity, count: xs.count + 2)
        return ScalarGrid(
            xs: xs.prefix(1) + xs + xs.suffix(1), ys: ys.prefix(1) + ys + ys.suffix(1),
            values: [outside] + rows + [outside])
    }

    // MARK: Marching squares

    /// The side of a cell that leads from node (x, y) one further.
    private struct Side: Hashable {
        let x: Int
        let y: Int
        let isHorizontal: Bool
    }

    private func lines(at level: Double) -> [(points: [Point], isClosed: Bool)] {
        var neighbours: [Side: [Side]] = [:]
        var order: [Side] = []
        for y in 0..<max(0, ys.count - 1) {
            for x in 0..<max(0, xs.count - 1) {
                for (a, b) in segments(x, y, level) {
                    for (side, other) in [(a, b), (b, a)] {
                        if neighbours[side] == nil { order.append(side) }
                        neighbours[side, default: []].append(other)
                    }
                }
            }
        }
        var lines: [(points: [Point], isClosed: Bool)] = []
        // Open lines from their ends first; what is left then is closed.
        for side in order.filter({ neighbours[$0]?.count == 1 }) + order {
            guard neighbours[side]?.isEmpty == false else { continue }
            let sides = walk(from: side, &neighbours)
            lines.append((sides.map { place(of: $0, level) }, sides.first == sides.last))
        }
        return lines
    }

    private func walk(from start: Side, _ neighbours: inout [Side: [Side]]) -> [Side] {
        var sides = [start]
        while let next = neighbours[sides[sides.count - 1]]?.popLast() {
            let current = sides[sides.count - 1]
            if let back = neighbours[next]?.firstIndex(of: current) { neighbours[next]?.remove(at: back) }
            sides.append(next)
        }
        return sides
    }

    /// What runs through one cell: pairs of the sides that are crossed.
    private func segments(_ x: Int, _ y: Int, _ level: Double) -> [(Side, Side)] {
        guard let a = values[y][x], let b = values[y][x + 1], let c = values[y + 1][x + 1],
            let d = values[y + 1][x]
        else { return [] }
        let bottom = Side(x: x, y: y, isHorizontal: true)
        let right = Side(x: x + 1, y: y, isHorizontal: false)
        let top = Side(x: x, y: y + 1, isHorizontal: true)
        let left = Side(x: x, y: y, isHorizontal: false)
        let inside = [a, b, c, d].map { $0 >= level }
        let crossed = [
            (inside[0] != inside[1], bottom), (inside[1] != inside[2], right),
            (inside[2] != inside[3], top), (inside[3] != inside[0], left),
        ].filter(\.0).map(\.1)
        switch crossed.count {
        case 2: return [(crossed[0], crossed[1])]
        case 4:
            // A saddle: the mean tells which corners are joined across the middle.
            let isJoined = (a + b + c + d) / 4 >= level
            return isJoined == inside[0] ? [(bottom, right), (top, left)] : [(left, bottom), (right, top)]
        default: return []
        }
    }

    private func place(of side: Side, _ level: Double) -> Point {
        let (x, y) = (side.x, side.y)
        let (otherX, otherY) = side.isHorizontal ? (x + 1, y) : (x, y + 1)
        guard let from = values[y][x], let to = values[otherY][otherX] else { return Point(xs[x], ys[y]) }
        // Towards a node below every level, the line runs through the other one.
        let share = from == -.infinity ? 1 : to == -.infinity ? 0 : (level - from) / (to - from)
        return Point(xs[x] + share * (xs[otherX] - xs[x]), ys[y] + share * (ys[otherY] - ys[y]))
    }
}
