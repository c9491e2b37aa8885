import Geometry

@testable import Engine

/// Convolutions as the sum is written:
///
///     y[o, v] = b[o] + sum over i, k of w[o, i, k] x[i, v + dilation k - zeros]
///     y[o, v K + k] = sum over i of w[i, o, k] x[i, v]        transposed, K the kernel
struct ReferenceConvolution {
    private let convolution: Graph.Convolution
    private let inputSize, outputSize: Size3
    private let rows: [Row]

    /// Neighbours along the width that meet under one element of the kernel: x[xStart + j xStep], y[yStart + j yStep].
    private struct Row {
        let kernel, x, y, count, yStep: Int
    }

    init(_ convolution: Graph.Convolution, input: Size3) {
        (self.convolution, inputSize) = (convolution, input)
        let kernel = convolution.kernel
        let reach = Size3 { convolution.dilation * (kernel[$0] - 1) }
        if convolution.transposed {
            outputSize = Size3 { input[$0] * kernel[$0] }
        } else {
            outputSize = convolution.padding == .same ? input : Size3 { input[$0] - reach[$0] }
        }
        let zeros = convolution.padding == .same ? Size3 { reach[$0] / 2 } : Size3(0, 0, 0)
        let output = outputSize
        rows = kernel.voxels.enumerated().flatMap { index, k -> [Row] in
            if convolution.transposed {
                return (0..<input.depth).flatMap { d in
                    (0..<input.height).map { h in
                        Row(
                            kernel: index, x: input.index(d, h, 0),
                            y: output.index(
                                d * kernel.depth + k.depth, h * kernel.height + k.height, k.width),
                            count: input.width, yStep: kernel.width)
                    }
                }
            }
            let shift = Size3 { convolution.dilation * k[$0] - zeros[$0] }
            let first = max(0, -shift.width)
            let count = min(output.width, input.width - shift.width) - first
            guard count > 0 else { return [] }
            return (0..<output.depth).flatMap { d -> [Row] in
                guard (0..<input.depth).contains(d + shift.depth) else { return [] }
                return (0..<output.height).compactMap { h -> Row? in
                    guard (0..<input.height).contains(h + shift.height) else { return nil }
                    return Row(
                        kernel: index, x: input.index(d + shift.depth, h + shift.height, first + shift.width),
                        y: output.index(d, h, first), count: count, yStep: 1)
                }
            }
        }
    }

    /// Where w[o, i, 0] is.
    private func weight(_ o: Int, _ i: Int) -> Int {
        (convolution.transposed
            ? i * convolution.outputChannels + o : o * convolution.inputChannels + i)
            * convolution.kernel.count
    }

    func forward(_ x: ReferenceTensor, weights: [Double], bias: [Double]?) -> ReferenceTensor {
        var y = ReferenceTensor(slots: x.slots, channels: convolution.outputChannels, size: outputSize)
        for slot in 0..<y.slots {
            for o in 0..<y.channels {
                let yPlane = y.plane(slot, o)
                if let bias { for v in 0..<outputSize.count { y.values[yPlane + v] = bias[o] } }
                for i in 0..<x.channels {
                    let (xPlane, first) = (x.plane(slot, i), weight(o, i))
                    for row in rows {
                        let w = weights[first + row.kernel]
                        let (from, to) = (xPlane + row.x, yPlane + row.y)
                        for j in 0..<row.count { y.values[to + j * row.yStep] += w * x.values[from + j] }
                    }
                }
            }
        }
        return y
    }

    /// dw[o, i, k] = sum of dy x over what meets under k; db[o] = sum of dy[o]; dx = sum over o, k of w dy.
    func gradients(
        _ x: ReferenceTensor, weights: [Double], dy: ReferenceTensor
    ) -> (x: ReferenceTensor, weights: [Double], bias: [Double]) {
        var dx = ReferenceTensor(like: x)
        var dw = [Double](repeating: 0, count: weights.count)
        var db = [Double](repeating: 0, count: dy.channels)
        for slot in 0..<dy.slots {
            for o in 0..<dy.channels {
                let yPlane = dy.plane(slot, o)
                for v in 0..<outputSize.count { db[o] += dy.values[yPlane + v] }
                for i in 0..<x.channels {
                    let (xPlane, first) = (x.plane(slot, i), weight(o, i))
                    for row in rows {
                        let w = weights[first + row.kernel]
                        let (from, to) = (xPlane + row.x, yPlane + row.y)
                        var sum = 0.0
                        for j in 0..<row.count {
                            let d = dy.values[to + j * row.yStep]
                            sum += d * x.values[from + j]
                            dx.values[from + j] += w * d
                        }
                        dw[first + row.kernel] += sum
                    }
                }
            }
        }
        return (dx, dw, db)
    }
}
