import Engine
import Numerics

/// A pooling group of soft predictions, [class][voxel], in double: the loss written out voxel by voxel, as a
/// check of the loss that sees sums only.
struct VoxelGroup {
    var reference: [[Double]]
    var prediction: [[Double]]

    /// Two classes, background first, from the foreground's values.
    init(foreground reference: [Double], prediction: [Double]) {
        self.reference = [reference.map { 1 - $0 }, reference]
        self.prediction = [prediction.map { 1 - $0 }, prediction]
    }

    /// Labels of decreasing frequency (each class about a quarter of the one before) and soft predictions
    /// that add up to 1 over the classes.
    init(seed: UInt64, classes: Int, voxels: Int) {
        var generator = SplitMix(state: seed)
        reference = Array(repeating: Array(repeating: 0, count: voxels), count: classes)
        prediction = reference
        for voxel in 0..<voxels {
            var label = 0
            while label < classes - 1, generator.uniform() < 0.25 { label += 1 }
            // The first voxels hold one class each, so that no class is absent.
            reference[voxel < classes ? voxel : label][voxel] = 1
            let scores = (0..<classes).map { _ in 0.05 + generator.uniform() }
            let total = scores.reduce(0, +)
            for index in 0..<classes { prediction[index][voxel] = scores[index] / total }
        }
    }

    /// References and predictions that add up to 1 over the classes, neither of them 0 or 1.
    init(softSeed seed: UInt64, classes: Int, voxels: Int) {
        self.init(seed: seed, classes: classes, voxels: voxels)
        var generator = SplitMix(state: seed ^ 0x50F7)
        for voxel in 0..<voxels {
            let scores = (0..<classes).map { reference[$0][voxel] + 0.02 + 0.5 * generator.uniform() }
            let total = scores.reduce(0, +)
            for index in 0..<classes { reference[index][voxel] = scores[index] / total }
        }
    }

    var sums: LossSums {
        LossSums(
            voxels: Double(reference[0].count),
            reference: reference.map { $0.reduce(0, +) },
            prediction: prediction.map { $0.reduce(0, +) },
            intersection: pairwise { $0 * $1 },
            errorInside: pairwise { $0 * ($0 - $1) * ($0 - $1) },
            errorOutside: pairwise { (1 - $0) * ($0 - $1) * ($0 - $1) },
            logLikelihood: pairwise { $0 == 0 ? 0 : $0 * Double.log($1) })
    }

    /// Sums over the voxels of a function of reference and prediction, a class each.
    private func pairwise(_ body: (Double, Double) -> Double) -> [Double] {
        zip(reference, prediction).map { zip($0, $1).map(body).reduce(0, +) }
    }

    /// d loss / d p of a class at a voxel by central differences, from the voxels up; p is free of the
    /// others.
    func difference(of loss: some SegmentationLoss, at voxel: Int, label: Int, step: Double = 1e-5) -> Double
    {
        var above = self
        var below = self
        above.prediction[label][voxel] += step
        below.prediction[label][voxel] -= step
        return (loss.value(above.sums) - loss.value(below.sums)) / (2 * step)
    }

    /// The loss's own derivative at a voxel.
    func derivative(of loss: some SegmentationLoss, at voxel: Int, label: Int) -> Double {
        let gradient = loss.gradient(sums)
        let (r, p) = (reference[label][voxel], prediction[label][voxel])
        return gradient.constant[label] + gradient.reference[label] * r
            + 2 * (p - r) * (gradient.inside[label] * r + gradient.outside[label] * (1 - r))
            + gradient.likelihood[label] * r / p
    }
}

struct SplitMix {
    var state: UInt64

    /// In [0, 1).
    mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((word ^ (word >> 31)) >> 11) * 0x1p-53
    }
}
