import Foundation

@testable import CPU
@testable import Engine

/// The loss of a batch and its gradient with respect to the logits.
struct ReferenceBatchLoss {
    var report: BatchReport
    /// With respect to the logits.
    var gradient: ReferenceTensor

    /// - Parameters:
    ///   - references: [slot][class][voxel]
    ///   - labels: [slot][voxel], for the Dice score.
    init(
        _ loss: ReferenceLoss, _ pooling: Engine.Pooling, logits: ReferenceTensor, references: [[[Double]]],
        labels: [[UInt8]]
    ) {
        let (slots, classes, voxels) = (logits.slots, logits.channels, logits.size.count)
        let probabilities = (0..<slots).map { Self.softmax(logits, slot: $0) }
        let ofSlots = (0..<slots).map { loss.evaluate(references[$0], probabilities[$0]) }
        let slotLosses = ofSlots.map(\.value)
        // dL/dp, [slot][class][voxel]
        let slopes: [[[Double]]]
        let value: Double
        switch pooling {
        case .image:
            value = slotLosses.reduce(0, +) / Double(slots)
            slopes = ofSlots.map { $0.slopes.map { $0.map { $0 / Double(slots) } } }
        case .batch:
            func pooled(_ x: [[[Double]]]) -> [[Double]] {
                (0..<classes).map { l in x.flatMap { $0[l] } }
            }
            let whole = loss.evaluate(pooled(references), pooled(probabilities))
            value = whole.value
            slopes = (0..<slots).map { slot in
                whole.slopes.map { Array($0[slot * voxels..<(slot + 1) * voxels]) }
            }
        }
        // dL/dz_l = p_l (g_l - sum over k of p_k g_k)
        gradient = ReferenceTensor(like: logits)
        var (predicted, present, both) = (0, 0, 0)
        for slot in 0..<slots {
            let p = probabilities[slot]
            for v in 0..<voxels {
                var (mean, best) = (0.0, 0)
                for l in 0..<classes {
                    mean += p[l][v] * slopes[slot][l][v]
                    if p[l][v] > p[best][v] { best = l }
                }
                for l in 0..<classes {
                    gradient.values[gradient.plane(slot, l) + v] = p[l][v] * (slopes[slot][l][v] - mean)
                }
                predicted += best == 0 ? 0 : 1
                present += labels[slot][v] == 0 ? 0 : 1
                both += best != 0 && labels[slot][v] != 0 ? 1 : 0
            }
        }
        let sums = (0..<slots).map { Self.sums(references[$0], probabilities[$0]) }
        report = BatchReport(
            loss: value,
            dice: predicted + present == 0 ? 1 : 2 * Double(both) / Double(predicted + present),
            foregroundFraction: Double(present) / Double(slots * voxels),
            sums: sums.dropFirst().reduce(sums[0], +), slotSums: sums, slotLosses: slotLosses)
    }

    /// As `LossSums` defines them.
    private static func sums(_ r: [[Double]], _ p: [[Double]]) -> LossSums {
        func sum(_ term: (_ r: Double, _ p: Double) -> Double) -> [Double] {
            zip(r, p).map { r, p in zip(r, p).reduce(0) { $0 + term($1.0, $1.1) } }
        }
        return LossSums(
            voxels: Double(r[0].count), reference: sum { r, _ in r }, prediction: sum { _, p in p },
            intersection: sum { $0 * $1 }, errorInside: sum { $0 * ($0 - $1) * ($0 - $1) },
            errorOutside: sum { (1 - $0) * ($0 - $1) * ($0 - $1) },
            logLikelihood: sum { $0 > 0 ? $0 * log($1) : 0 })
    }

    /// exp(z_l) / sum over k of exp(z_k), [class][voxel]
    static func softmax(_ logits: ReferenceTensor, slot: Int) -> [[Double]] {
        let (classes, voxels) = (logits.channels, logits.size.count)
        var p = [[Double]](repeating: [Double](repeating: 0, count: voxels), count: classes)
        for v in 0..<voxels {
            var (largest, total) = (-Double.infinity, 0.0)
            for l in 0..<classes { largest = max(largest, logits.values[logits.plane(slot, l) + v]) }
            for l in 0..<classes {
                p[l][v] = exp(logits.values[logits.plane(slot, l) + v] - largest)
                total += p[l][v]
            }
            for l in 0..<classes { p[l][v] /= total }
        }
        return p
    }
}
