import Geometry

@testable import Engine

/// Passes that stay on a voxel.
enum ReferenceActivation {
    /// x where x > 0, else slope x; a rectifier has slope 0.
    static func forward(_ x: ReferenceTensor, slopes: [Double]?) -> ReferenceTensor {
        var y = x
        for index in y.values.indices where !(x.values[index] > 0) {
            y.values[index] *= slopes?[index / x.size.count % x.channels] ?? 0
        }
        return y
    }

    /// dx = dy where x > 0, else slope dy; dslope = sum of x dy where not x > 0.
    static func gradients(
        _ x: ReferenceTensor, slopes: [Double]?, dy: ReferenceTensor
    ) -> (x: ReferenceTensor, slopes: [Double]) {
        var dx = dy
        var dslopes = [Double](repeating: 0, count: x.channels)
        for index in x.values.indices where !(x.values[index] > 0) {
            let channel = index / x.size.count % x.channels
            dx.values[index] *= slopes?[channel] ?? 0
            dslopes[channel] += x.values[index] * dy.values[index]
        }
        return (dx, dslopes)
    }
}

/// y[c] = the maximum over p of x[c + p n], n channels out; the first where several are equal.
enum ReferenceMaxout {
    /// For each value of y, the index of x that it is.
    static func sources(_ x: ReferenceTensor, pieces: Int) -> [Int] {
        let (channels, voxels) = (x.channels / pieces, x.size.count)
        var sources: [Int] = []
        for slot in 0..<x.slots {
            for channel in 0..<channels {
                for v in 0..<voxels {
                    var best = x.plane(slot, channel) + v
                    for piece in 1..<pieces {
                        let other = x.plane(slot, channel + piece * channels) + v
                        if x.values[other] > x.values[best] { best = other }
                    }
                    sources.append(best)
                }
            }
        }
        return sources
    }
}

/// In training x / (1 - rate) where the value is kept, else 0: forward and gradient are the same product.
struct ReferenceDropout {
    /// 1 / (1 - rate) or 0, of each value.
    let factors: [Double]

    /// The finaliser of MurmurHash3.
    private static func scatter(_ word: UInt32) -> UInt32 {
        var h = word
        h = (h ^ (h >> 16)) &* 0x85eb_ca6b
        h = (h ^ (h >> 13)) &* 0xc2b2_ae35
        return h ^ (h >> 16)
    }

    /// - Parameters:
    ///   - slots: The numbers in the step of the slots of `shape`.
    ///   - positions: The number that stands for each voxel.
    init(
        _ dropout: Graph.Dropout, shape: ReferenceTensor, seed: UInt64, step: Int, slots: [Int],
        positions: [Int]
    ) {
        let threshold = UInt32(dropout.rate * 0x1p32)
        factors = slots.flatMap { slot -> [Double] in
            let key = [UInt64(step), UInt64(slot), UInt64(dropout.stream)]
                .reduce(mix(seed)) { mix($0 ^ $1) }
            let (low, high) = (UInt32(truncatingIfNeeded: key), UInt32(key >> 32))
            return (0..<shape.channels).flatMap { channel -> [Double] in
                let ofChannel = scatter((UInt32(channel) &* 0x9e37_79b1) ^ low)
                return positions.map {
                    scatter(ofChannel ^ (UInt32($0) &* 0x9e37_79b1 &+ high)) >= threshold
                        ? 1 / (1 - dropout.rate) : 0
                }
            }
        }
        func scatter(_ word: UInt32) -> UInt32 { Self.scatter(word) }
    }

    func product(_ x: ReferenceTensor) -> ReferenceTensor {
        var y = x
        for index in y.values.indices { y.values[index] *= factors[index] }
        return y
    }
}

/// Where each voxel of a dropout's output lies in memory, by the dropout's stream: what the engine counts voxels by.
func dropoutPositions(_ graph: Graph, inputSize: Size3) throws -> [Int: [Int]] {
    // Positions are the same with every instruction set: only channels lie in blocks.
    let lowered = try LoweredGraph(graph, inputSize: inputSize, instructionSet: .portable)
    var found: [Int: [Int]] = [:]
    for case .grid(.dropout(let dropout), _, let to) in lowered.instructions {
        let layout = lowered.layouts[to]
        let axes = (0..<3).map { layout.positions($0) }
        found[dropout.stream] = layout.size.voxels.map {
            layout.extent.index(axes[0][$0.depth], axes[1][$0.height], axes[2][$0.width])
        }
    }
    return found
}
