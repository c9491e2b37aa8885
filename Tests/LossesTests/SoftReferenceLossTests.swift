import Engine
import Losses
import Numerics
import Testing

/// References that are probabilities.
@Suite struct SoftReferenceLossTests {
    static let losses: [any SegmentationLoss] =
        GeneralisedDiceLoss.Weights.allCases.map { GeneralisedDiceLoss(weights: $0) } + [
            DiceLoss(), SensitivitySpecificityLoss(lambda: 0.3),
        ]

    /// Two voxels, r = 0.75 and 0.25, p = 0.5 and 0.1. Foreground: V = 1, P = 0.6, I = 0.4; background: V =
    /// 1, P = 1.4, I = 0.8. Equal weights: 1 - 2 (0.4 + 0.8) / (1.6 + 2.4).
    @Test func generalisedDiceByHand() {
        let group = VoxelGroup(foreground: [0.75, 0.25], prediction: [0.5, 0.1])
        #expect(abs(GeneralisedDiceLoss().value(group.sums) - 0.4) < 1e-14)
        // A = 0.75 0.0625 + 0.25 0.0225, B = 0.25 0.0625 + 0.75 0.0225.
        let expected = 0.05 * 0.0525 / (1 + 1e-5) + 0.95 * 0.0325 / (1 + 1e-5)
        #expect(abs(SensitivitySpecificityLoss().value(group.sums) - expected) < 1e-14)
        // w = 2 - 0.6: less than a voxel counts as one.
        let foreground = 1.4 * (0.75 * Double.log(0.5) + 0.25 * Double.log(0.1))
        let background = 0.25 * Double.log(0.5) + 0.75 * Double.log(0.9)
        #expect(abs(WeightedCrossEntropy().value(group.sums) + (foreground + background) / 2) < 1e-14)
    }

    /// Step 1e-5: truncation and rounding of some 1e-10 each.
    @Test(arguments: losses.indices, [2, 4])
    func gradientAgreesWithCentralDifferences(index: Int, classes: Int) {
        check(Self.losses[index], as: Self.losses[index], classes: classes)
    }

    /// The weights are constants of the gradient.
    @Test(arguments: [2, 4])
    func crossEntropyHoldsItsWeights(classes: Int) {
        let group = VoxelGroup(softSeed: 5, classes: classes, voxels: 40)
        let held = ComparedLossTests.HeldWeights(WeightedCrossEntropy().gradient(group.sums).likelihood)
        check(WeightedCrossEntropy(), as: held, classes: classes, tolerance: 1e-7)
    }

    private func check(
        _ loss: some SegmentationLoss, as value: some SegmentationLoss, classes: Int, tolerance: Double = 1e-8
    ) {
        let group = VoxelGroup(softSeed: 5, classes: classes, voxels: 40)
        for voxel in 0..<40 {
            for label in 0..<classes {
                let expected = group.difference(of: value, at: voxel, label: label)
                let found = group.derivative(of: loss, at: voxel, label: label)
                #expect(
                    abs(found - expected) < tolerance * max(1, abs(expected)),
                    "voxel \(voxel), class \(label)")
            }
        }
    }
}
