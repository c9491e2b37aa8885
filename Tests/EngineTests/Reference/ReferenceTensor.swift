import Geometry

@testable import Engine

/// An activation or its gradient in double, [slot][channel][depth][height][width], without blocks, gaps or padding.
struct ReferenceTensor {
    let slots, channels: Int
    let size: Size3
    var values: [Double]

    init(slots: Int, channels: Int, size: Size3) {
        (self.slots, self.channels, self.size) = (slots, channels, size)
        values = [Double](repeating: 0, count: slots * channels * size.count)
    }

    /// Zeros in the shape of another tensor.
    init(like other: ReferenceTensor) {
        self.init(slots: other.slots, channels: other.channels, size: other.size)
    }

    /// Where the voxels of a channel start.
    func plane(_ slot: Int, _ channel: Int) -> Int { (slot * channels + channel) * size.count }

    /// The logits of a slot, [class][voxel].
    func slot(_ slot: Int) -> ArraySlice<Double> { values[plane(slot, 0)..<plane(slot + 1, 0)] }

    var largest: Double { values.reduce(0) { max($0, abs($1)) } }

    static func += (sum: inout ReferenceTensor, term: ReferenceTensor) {
        for index in sum.values.indices { sum.values[index] += term.values[index] }
    }
}

extension Size3 {
    /// The number of a voxel in [depth][height][width].
    func index(_ depth: Int, _ height: Int, _ width: Int) -> Int {
        (depth * self.height + height) * self.width + width
    }

    /// The voxels in order.
    var voxels: [Size3] {
        (0..<count).map { Size3($0 / (height * width), $0 / width % height, $0 % width) }
    }
}

/// Random numbers of a name, the same everywhere.
extension FixtureDraws {
    mutating func integer(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(word() % UInt64(range.count))
    }

    mutating func chance(_ percent: Int) -> Bool { integer(0...99) < percent }

    mutating func one<T>(of values: [T]) -> T { values[integer(0...values.count - 1)] }
}

/// Noise on what convolutions write and normalisations read, and on their gradients, so that the reference tells how much
/// its own results depend on rounding.
struct Perturbation {
    /// Relative to the largest value of the tensor; 0 leaves everything as it is.
    var share = 0.0
    var draws = FixtureDraws("perturbation")

    /// - Parameter terms: The largest of the terms that the values are sums of, where these may cancel.
    mutating func disturb(_ x: inout ReferenceTensor, terms: Double = 0) {
        guard share > 0 else { return }
        let way = share * max(x.largest, terms)
        for index in x.values.indices { x.values[index] += way * draws.signed() }
    }
}
