import Foundation

/// A place in a drawing: x to the right, y down.
struct Point: Equatable, Hashable {
    var x: Double
    var y: Double

    init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }

    func distance(to other: Point) -> Double {
        ((x - other.x) * (x - other.x) + (y - other.y) * (y - other.y)).squareRoot()
    }
}

/// A box in a drawing.
struct Frame: Equatable {
    var x: Double
    var y: Double
    var width: Double
    var height: Double

    var right: Double { x + width }
    var bottom: Double { y + height }
    var middle: Point { Point(x + width / 2, y + height / 2) }
}

/// Where the values of an axis lie in a drawing.
struct Scale {
    let domain: ClosedRange<Double>
    /// The places of the domain's ends.
    let start: Double
    let end: Double
    let isLogarithmic: Bool

    /// - Parameter domain: above 0 where logarithmic. A domain of one value lies in the middle.
    init(_ domain: ClosedRange<Double>, from start: Double, to end: Double, isLogarithmic: Bool = false) {
        (self.domain, self.start, self.end, self.isLogarithmic) = (domain, start, end, isLogarithmic)
    }

    func callAsFunction(_ value: Double) -> Double {
        func position(_ value: Double) -> Double { isLogarithmic ? log10(value) : value }
        let low = position(domain.lowerBound)
        let length = position(domain.upperBound) - low
        guard length > 0 else { return (start + end) / 2 }
        return start + (position(value) - low) / length * (end - start)
    }
}

/// Round numbers inside a range.
enum Ticks {
    /// Multiples of 1, 2 or 5 times a power of ten: at most `count` of them.
    static func round(in range: ClosedRange<Double>, atMost count: Int) -> [Double] {
        let length = range.upperBound - range.lowerBound
        guard length > 0, length.isFinite, count > 0 else { return [range.lowerBound] }
        let rough = length / Double(count)
        let power = pow(10, log10(rough).rounded(.down))
        for factor in [1.0, 2, 5, 10, 20] {
            let step = factor * power
            let first = (range.lowerBound / step - 1e-9).rounded(.up)
            let last = (range.upperBound / step + 1e-9).rounded(.down)
            let steps = Int(last - first) + 1
            if steps <= count { return (0..<max(0, steps)).map { (first + Double($0)) * step } }
        }
        return []
    }

    /// As few decimals as tell neighbours apart.
    static func texts(_ ticks: [Double]) -> [String] {
        for decimals in 0...6 {
            let texts = ticks.map { Display.fixed($0, decimals) }
            let isExact = zip(ticks, texts).allSatisfy {
                abs((Double($1) ?? .infinity) - $0) <= 1e-9 * max(1, abs($0))
            }
            if isExact { return texts }
        }
        return ticks.map { "\($0)" }
    }
}
