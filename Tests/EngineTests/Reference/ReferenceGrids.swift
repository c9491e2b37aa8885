import Geometry

@testable import Engine

/// Passes whose every output is one value of the input, or none: what stands where.
///
/// Forward copies y[j] = x[sources[j]]; the gradient adds dx[sources[j]] += dy[j].
enum ReferenceGrid {
    static func forward(_ x: ReferenceTensor, sources: [Int], channels: Int, size: Size3) -> ReferenceTensor {
        var y = ReferenceTensor(slots: x.slots, channels: channels, size: size)
        for (index, source) in sources.enumerated() { y.values[index] = x.values[source] }
        return y
    }

    static func gradient(_ x: ReferenceTensor, sources: [Int], dy: ReferenceTensor) -> ReferenceTensor {
        var dx = ReferenceTensor(like: x)
        for (index, source) in sources.enumerated() { dx.values[source] += dy.values[index] }
        return dx
    }

    /// The sources of an output that has the input's channels and whose voxel v is the input's voxel `map(v)`.
    static func sources(_ x: ReferenceTensor, size: Size3, map: (Size3) -> Size3) -> [Int] {
        let voxels = size.voxels.map { voxel -> Int in
            let from = map(voxel)
            return x.size.index(from.depth, from.height, from.width)
        }
        return (0..<x.slots * x.channels).flatMap { plane in voxels.map { plane * x.size.count + $0 } }
    }

    /// Without the first and the last voxels of each axis that is longer than 1.
    static func crop(_ x: ReferenceTensor, before: Int, after: Int) -> (size: Size3, sources: [Int]) {
        let size = Size3 { x.size[$0] > 1 ? x.size[$0] - before - after : 1 }
        return (
            size, sources(x, size: size) { v in Size3 { x.size[$0] > 1 ? v[$0] + before : 0 } }
        )
    }

    /// The middle voxel of each run of `step` of each axis that is longer than 1.
    static func subsample(_ x: ReferenceTensor, step: Int) -> (size: Size3, sources: [Int]) {
        let size = Size3 { x.size[$0] > 1 ? x.size[$0] / step : 1 }
        return (
            size, sources(x, size: size) { v in Size3 { x.size[$0] > 1 ? v[$0] * step + step / 2 : 0 } }
        )
    }

    /// Each voxel `factor` times along each axis; an axis of one voxel that is the whole image's stays.
    static func upsample(
        _ x: ReferenceTensor, factor: Int, inputSize: Size3
    ) -> (size: Size3, sources: [Int]) {
        let factors = Size3 { inputSize[$0] == 1 && x.size[$0] == 1 ? 1 : factor }
        let size = Size3 { x.size[$0] * factors[$0] }
        return (size, sources(x, size: size) { v in Size3 { v[$0] / factors[$0] } })
    }

    /// The first largest voxel of each window that lies in the image.
    static func maxPool(_ x: ReferenceTensor, _ pooling: Graph.Pooling) -> (size: Size3, sources: [Int]) {
        let (window, stride) = (pooling.window, pooling.stride)
        let size = Size3 { (x.size[$0] - window[$0]) / stride[$0] + 1 }
        let (outputs, offsets) = (size.voxels, window.voxels)
        var sources: [Int] = []
        for plane in 0..<x.slots * x.channels {
            for v in outputs {
                var best: Int?
                for k in offsets {
                    let at =
                        plane * x.size.count
                        + x.size.index(
                            v.depth * stride.depth + k.depth, v.height * stride.height + k.height,
                            v.width * stride.width + k.width)
                    guard let known = best else {
                        best = at
                        continue
                    }
                    if x.values[at] > x.values[known] { best = at }
                }
                if let best { sources.append(best) }
            }
        }
        return (size, sources)
    }
}

/// Channels of tensors put beside or onto each other.
enum ReferenceChannels {
    /// The channels of all, one tensor after the other.
    static func concatenate(_ parts: [ReferenceTensor]) -> ReferenceTensor {
        var y = ReferenceTensor(
            slots: parts[0].slots, channels: parts.reduce(0) { $0 + $1.channels }, size: parts[0].size)
        var first = 0
        for part in parts {
            add(part, to: &y, first: first)
            first += part.channels
        }
        return y
    }

    /// x + shortcut, whose channels meet the middle ones of x, the smaller half of what is missing in front.
    static func add(_ x: ReferenceTensor, shortcut: ReferenceTensor) -> ReferenceTensor {
        var y = x
        add(shortcut, to: &y, first: (x.channels - shortcut.channels) / 2)
        return y
    }

    private static func add(_ part: ReferenceTensor, to y: inout ReferenceTensor, first: Int) {
        for slot in 0..<y.slots {
            for channel in 0..<part.channels {
                let (from, to) = (part.plane(slot, channel), y.plane(slot, first + channel))
                for v in 0..<y.size.count { y.values[to + v] += part.values[from + v] }
            }
        }
    }

    /// The gradient of a part that stands at channel `first` of y.
    static func gradient(of part: ReferenceTensor, first: Int, dy: ReferenceTensor) -> ReferenceTensor {
        var dx = ReferenceTensor(like: part)
        for slot in 0..<dy.slots {
            for channel in 0..<part.channels {
                let (to, from) = (part.plane(slot, channel), dy.plane(slot, first + channel))
                for v in 0..<dy.size.count { dx.values[to + v] = dy.values[from + v] }
            }
        }
        return dx
    }
}
