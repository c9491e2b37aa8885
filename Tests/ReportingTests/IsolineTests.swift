import Testing

@testable import Reporting

@Suite struct IsolineTests {
    /// v = x + 2y on uneven nodes.
    private let plane = ScalarGrid(
        xs: [0, 1, 3], ys: [0, 2], values: [[0, 1, 3], [4, 5, 7]])

    @Test(arguments: [1, 4]) func onAPlaneAnIsolineIsTheStraightLine(parts: Int) throws {
        let lines = plane.refined(parts).isolines(at: 4.5)
        #expect(lines.count == 1)
        let line = try #require(lines.first)
        for point in line { #expect(abs(point.x + 2 * point.y - 4.5) < 1e-12) }
        // From the upper side, where x + 4 = 4.5, to the right one, where 3 + 2y = 4.5.
        let ends = [line[0], line[line.count - 1]].sorted { $0.x < $1.x }
        #expect(ends[0].distance(to: Point(0.5, 2)) < 1e-12)
        #expect(ends[1].distance(to: Point(3, 0.75)) < 1e-12)
    }

    @Test func regionsHaveTheAreaAboveTheLevel() {
        // The corner beyond the line: all of 3 x 2 but what lies below it, a trapezoid of widths 3 and 0.5
        // between y = 0.75 and y = 2 and a box of 3 x 0.75.
        let below = 3 * 0.75 + (3 + 0.5) / 2 * 1.25
        #expect(abs(area(plane.refined(3).regions(atLeast: 4.5)) - (6 - below)) < 1e-12)
        #expect(abs(area(plane.regions(atLeast: -1e300)) - 6) < 1e-12)
        #expect(plane.regions(atLeast: 8).isEmpty)
    }

    @Test func interpolationIsBilinear() {
        let grid = ScalarGrid(xs: [0, 1], ys: [0, 1], values: [[0, 0], [0, 1]]).refined(2)
        // v = xy.
        #expect(grid.values == [[0, 0, 0], [0, 0.25, 0.5], [0, 0.5, 1]])
        #expect(grid.xs == [0, 0.5, 1] && grid.ys == [0, 0.5, 1])
    }

    @Test func aHillHasAClosedLine() throws {
        let hill = ScalarGrid(xs: [0, 1, 2], ys: [0, 1, 2], values: [[0, 0, 0], [0, 1, 0], [0, 0, 0]])
        let lines = hill.isolines(at: 0.5)
        #expect(lines.count == 1)
        let line = try #require(lines.first)
        #expect(line.first == line.last)
        // A square on its corner, half the cells' sides from the middle.
        #expect(Set(line) == [Point(0.5, 1), Point(1, 0.5), Point(1.5, 1), Point(1, 1.5)])
        #expect(abs(area([line]) - 0.5) < 1e-12)
    }

    @Test func aSaddleIsJoinedAcrossAHighMiddle() {
        func lines(_ high: Double) -> [[Point]] {
            ScalarGrid(xs: [0, 1], ys: [0, 1], values: [[high, 0], [0, high]]).isolines(at: 0.5)
        }
        // Mean 1 is above the level: the lines cut off the low corners.
        let joined = Set(lines(2).map { Set($0) })
        #expect(joined == [[Point(0.75, 0), Point(1, 0.25)], [Point(0, 0.75), Point(0.25, 1)]])
        // Mean 0.3 is below: they cut off the high ones.
        let apart = lines(0.6).map { $0.map { $0.x + $0.y } }.map { ($0.min() ?? 0) < 1 ? "low" : "high" }
        #expect(Set(apart) == ["low", "high"])
    }

    @Test func cellsAroundAMissingNodeStayEmpty() {
        let grid = ScalarGrid(
            xs: [0, 1, 2], ys: [0, 1], values: [[0, 0, 0], [1, 1, nil]])
        let lines = grid.refined(4).isolines(at: 0.5)
        #expect(lines.count == 1)
        #expect(lines.joined().allSatisfy { $0.x <= 1 && $0.y == 0.5 })
    }

    @Test func levelsAreRoundAndAtMostTen() {
        let wide = ShadeLevels(covering: [0.03, 0.74])
        #expect(wide.step == 0.1 && wide.count == 8)
        #expect(wide.range.lowerBound == 0 && abs(wide.range.upperBound - 0.8) < 1e-12)
        let narrow = ShadeLevels(covering: [0.61, 0.66])
        #expect(narrow.step == 0.01 && narrow.count == 5)
        #expect(narrow.decimals == 2)
        let flat = ShadeLevels(covering: [0, 0])
        #expect(flat.count == 1 && flat.bounds == [0])
        #expect(ShadeLevels(covering: []).count == 1)
        // A value on a level does not open a shade of its own.
        #expect(ShadeLevels(covering: [0, 1]).count == 10)
    }

    /// By the shoelace formula; holes count against what they are in.
    private func area(_ rings: [[Point]]) -> Double {
        abs(
            rings.reduce(0) { sum, ring in
                sum
                    + zip(ring, ring.dropFirst() + ring.prefix(1)).reduce(0) {
                        $0 + ($1.0.x * $1.1.y - $1.1.x * $1.0.y) / 2
                    }
            })
    }
}
