@testable import CPU
@testable import Engine

/// y = weight (x - mean) / sqrt(variance + 1e-5) + bias, a channel; mean and biased variance of a pool of planes.
struct ReferenceNormalisation {
    private static let epsilon = 1e-5
    private let x: ReferenceTensor
    /// (slot, channel) of the planes whose mean and variance are formed together.
    private let pools: [[(slot: Int, channel: Int)]]
    private let weights, biases: [Double]
    /// Of each pool.
    let means, variances: [Double]

    /// - Parameter running: Mean and variance a channel, of batch normalisation that infers.
    init(
        _ normalisation: Graph.Normalisation, _ x: ReferenceTensor, weights: [Double], biases: [Double],
        running: (mean: [Double], variance: [Double])? = nil
    ) {
        (self.x, self.weights, self.biases) = (x, weights, biases)
        let pools: [[(slot: Int, channel: Int)]]
        switch normalisation.statistics {
        case .batch:
            pools = (0..<x.channels).map { channel in (0..<x.slots).map { ($0, channel) } }
        case .slot(let count):
            pools = (0..<x.slots).flatMap { slot in
                (0..<x.channels / count).map { group in
                    (group * count..<(group + 1) * count).map { (slot, $0) }
                }
            }
        }
        self.pools = pools
        if let running {
            (means, variances) = (running.mean, running.variance)
            return
        }
        means = pools.map { pool in
            var sum = 0.0
            for part in pool {
                let first = x.plane(part.slot, part.channel)
                for v in first..<first + x.size.count { sum += x.values[v] }
            }
            return sum / Double(pool.count * x.size.count)
        }
        variances = zip(pools, means).map { pool, mean in
            var sum = 0.0
            for part in pool {
                let first = x.plane(part.slot, part.channel)
                for v in first..<first + x.size.count {
                    sum += (x.values[v] - mean) * (x.values[v] - mean)
                }
            }
            return sum / Double(pool.count * x.size.count)
        }
    }

    /// Of each channel, where pools are channels: what running statistics move towards.
    var unbiasedVariances: [Double] {
        let count = Double(x.slots * x.size.count)
        return variances.map { $0 * count / max(1, count - 1) }
    }

    private func deviation(_ pool: Int) -> Double { (variances[pool] + Self.epsilon).squareRoot() }

    func forward() -> ReferenceTensor {
        var y = ReferenceTensor(like: x)
        for (index, pool) in pools.enumerated() {
            let (mean, deviation) = (means[index], deviation(index))
            for part in pool {
                let first = x.plane(part.slot, part.channel)
                for v in first..<first + x.size.count {
                    y.values[v] =
                        weights[part.channel] * (x.values[v] - mean) / deviation + biases[part.channel]
                }
            }
        }
        return y
    }

    /// With n = (x - mean) / deviation over the N voxels of a pool and g = weight dy:
    ///
    ///     dx = (g - sum g / N - n sum(g n) / N) / deviation; dweight = sum dy n, dbias = sum dy, a channel
    ///
    /// `terms` is the largest g / deviation.
    func gradients(
        _ dy: ReferenceTensor
    ) -> (x: ReferenceTensor, weights: [Double], biases: [Double], terms: Double) {
        var terms = 0.0
        var dx = ReferenceTensor(like: x)
        var (dweights, dbiases) = (weights.map { _ in 0.0 }, biases.map { _ in 0.0 })
        for (index, pool) in pools.enumerated() {
            let (mean, deviation) = (means[index], deviation(index))
            let count = Double(pool.count * x.size.count)
            var (sum, product) = (0.0, 0.0)
            for part in pool {
                let first = x.plane(part.slot, part.channel)
                var (ownSum, ownProduct) = (0.0, 0.0)
                for v in first..<first + x.size.count {
                    ownSum += dy.values[v]
                    ownProduct += dy.values[v] * (x.values[v] - mean) / deviation
                }
                dbiases[part.channel] += ownSum
                dweights[part.channel] += ownProduct
                sum += weights[part.channel] * ownSum
                product += weights[part.channel] * ownProduct
            }
            for part in pool {
                let first = x.plane(part.slot, part.channel)
                for v in first..<first + x.size.count {
                    let normal = (x.values[v] - mean) / deviation
                    let g = weights[part.channel] * dy.values[v]
                    terms = max(terms, abs(g / deviation))
                    dx.values[v] = (g - sum / count - normal * product / count) / deviation
                }
            }
        }
        return (dx, dweights, dbiases, terms)
    }
}
