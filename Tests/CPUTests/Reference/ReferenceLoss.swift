import Foundation
import Losses

@testable import CPU
@testable import Engine

/// A loss written out voxel by voxel over one pooling group, with dL/dp of each class and voxel.
///
/// r and p are [class][voxel], reference and probability; V = sum r, P = sum p of a class, over the N voxels of the group.
indirect enum ReferenceLoss: CustomStringConvertible {
    case generalisedDice(GeneralisedDiceLoss.Weights, GeneralisedDiceLoss.Convention)
    case crossEntropy, dice
    case sensitivitySpecificity(lambda: Double)
    case combined([(loss: ReferenceLoss, weight: Double)])

    /// The definition of a loss of the engine.
    init(_ loss: any SegmentationLoss) {
        switch loss {
        case let loss as GeneralisedDiceLoss: self = .generalisedDice(loss.weights, loss.convention)
        case is WeightedCrossEntropy: self = .crossEntropy
        case is DiceLoss: self = .dice
        case let loss as SensitivitySpecificityLoss: self = .sensitivitySpecificity(lambda: loss.lambda)
        case let loss as CombinedLoss:
            self = .combined(loss.terms.map { (ReferenceLoss($0.loss), $0.weight) })
        default: preconditionFailure("the reference has no definition of \(loss)")
        }
    }

    /// Whether weights follow the prediction and count as constants of the gradient, which then is not that of the value.
    var hasWeightsOfPrediction: Bool {
        switch self {
        case .crossEntropy: true
        case .combined(let terms): terms.contains { $0.loss.hasWeightsOfPrediction }
        default: false
        }
    }

    typealias Outcome = (value: Double, slopes: [[Double]])

    func evaluate(_ r: [[Double]], _ p: [[Double]]) -> Outcome {
        switch self {
        case .generalisedDice(let weights, let convention):
            return Self.generalisedDice(r, p, weights, smoothing: convention == .monai ? 1e-5 : 0)
        case .crossEntropy: return Self.crossEntropy(r, p)
        case .dice: return Self.dice(r, p)
        case .sensitivitySpecificity(let lambda): return Self.sensitivitySpecificity(r, p, lambda)
        case .combined(let terms):
            let zeros = r.map { $0.map { _ in 0.0 } }
            return terms.reduce((0, zeros)) { sum, term in
                let (value, slopes) = term.loss.evaluate(r, p)
                return (
                    sum.value + term.weight * value,
                    zip(sum.slopes, slopes).map { zip($0, $1).map { $0 + term.weight * $1 } }
                )
            }
        }
    }

    /// 1 - (2 sum w I + s) / (sum w (V + P) + s); w = 1/V^2, 1/V or 1, of an absent class the largest finite one.
    private static func generalisedDice(
        _ r: [[Double]], _ p: [[Double]], _ kind: GeneralisedDiceLoss.Weights, smoothing s: Double
    ) -> Outcome {
        let volumes = r.map(sum)
        let present = volumes.map { volume -> Double? in
            guard volume > 0 else { return nil }
            switch kind {
            case .square: return 1 / (volume * volume)
            case .simple: return 1 / volume
            case .uniform: return 1
            }
        }
        let largest = present.compactMap { $0 }.max() ?? 1
        let weights = present.map { $0 ?? largest }
        var (top, bottom) = (s, s)
        for l in r.indices {
            top += 2 * weights[l] * product(r[l], p[l])
            bottom += weights[l] * (volumes[l] + sum(p[l]))
        }
        return (
            1 - top / bottom,
            r.indices.map { l in
                r[l].map { -(2 * weights[l] * $0 * bottom - top * weights[l]) / (bottom * bottom) }
            }
        )
    }

    /// -1/N sum over l, n of w_l r log p; w = 1 for the background, else (N - P) / P, constant in the gradient.
    private static func crossEntropy(_ r: [[Double]], _ p: [[Double]]) -> Outcome {
        let count = Double(r[0].count)
        let weights = p.indices.map { l in l == 0 ? 1 : (count - sum(p[l])) / max(1, sum(p[l])) }
        var value = 0.0
        for l in r.indices {
            for (r, p) in zip(r[l], p[l]) where r > 0 { value -= weights[l] * r * log(p) / count }
        }
        return (
            value, r.indices.map { l in zip(r[l], p[l]).map { -weights[l] * $0 / $1 / count } }
        )
    }

    /// 1 - 2/L sum over l of (I + e) / (V + P + e), e = 1e-5
    private static func dice(_ r: [[Double]], _ p: [[Double]]) -> Outcome {
        let (share, e) = (2 / Double(r.count), 1e-5)
        var value = 1.0
        let slopes = r.indices.map { l -> [Double] in
            let (top, bottom) = (product(r[l], p[l]) + e, sum(r[l]) + sum(p[l]) + e)
            value -= share * top / bottom
            return r[l].map { -share * ($0 * bottom - top) / (bottom * bottom) }
        }
        return (value, slopes)
    }

    /// The mean over foreground classes of lambda sum r (r - p)^2 / (V + e) + (1 - lambda) sum (1 - r) (r - p)^2 / (N - V + e)
    private static func sensitivitySpecificity(
        _ r: [[Double]], _ p: [[Double]], _ lambda: Double
    ) -> Outcome {
        let (share, e, count) = (1 / Double(r.count - 1), 1e-5, Double(r[0].count))
        var value = 0.0
        let slopes = r.indices.map { l -> [Double] in
            guard l > 0 else { return r[0].map { _ in 0 } }
            let volume = sum(r[l])
            let (inside, outside) = (
                share * lambda / (volume + e), share * (1 - lambda) / (count - volume + e)
            )
            return zip(r[l], p[l]).map { r, p in
                let weight = inside * r + outside * (1 - r)
                value += weight * (r - p) * (r - p)
                return 2 * weight * (p - r)
            }
        }
        return (value, slopes)
    }

    private static func sum(_ x: [Double]) -> Double { x.reduce(0, +) }

    private static func product(_ x: [Double], _ y: [Double]) -> Double {
        var sum = 0.0
        for index in x.indices { sum += x[index] * y[index] }
        return sum
    }

    // MARK: The engine's

    func engineLoss(_ pooling: Engine.Pooling) -> any SegmentationLoss {
        switch self {
        case .generalisedDice(let weights, let convention):
            GeneralisedDiceLoss(weights: weights, pooling: pooling, convention: convention)
        case .crossEntropy: WeightedCrossEntropy(pooling: pooling)
        case .dice: DiceLoss(pooling: pooling)
        case .sensitivitySpecificity(let lambda):
            SensitivitySpecificityLoss(lambda: lambda, pooling: pooling)
        case .combined(let terms):
            CombinedLoss(terms.map { CombinedLoss.Term($0.loss.engineLoss(pooling), weight: $0.weight) })
        }
    }

    var description: String {
        switch self {
        case .generalisedDice(let weights, let convention): "GDL \(weights) \(convention)"
        case .crossEntropy: "WCE"
        case .dice: "DL2"
        case .sensitivitySpecificity(let lambda): "SS \(lambda)"
        case .combined(let terms):
            terms.map { $0.weight == 1 ? "\($0.loss)" : "\($0.weight) \($0.loss)" }.joined(separator: " + ")
        }
    }
}
