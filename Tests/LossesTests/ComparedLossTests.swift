import Engine
import Losses
import Numerics
import Testing

/// WCE, DL2 and SS: by hand, by central differences, and at the edges.
@Suite struct ComparedLossTests {
    /// Four voxels, the first one foreground, predicted at 0.8, 0.4, 0.1 and 0.1.
    static let group = VoxelGroup(foreground: [1, 0, 0, 0], prediction: [0.8, 0.4, 0.1, 0.1])

    /// sum p = 1.4, so w = 2.6 / 1.4.
    @Test func weightedCrossEntropyByHand() {
        let foreground = 2.6 / 1.4 * Double.log(0.8)
        let background = Double.log(0.6) + 2 * Double.log(0.9)
        let value = WeightedCrossEntropy().value(Self.group.sums)
        #expect(abs(value + (foreground + background) / 4) < 1e-14)
    }

    /// 1 - 0.8 / 2.4 - 2.4 / 5.6, with 1e-5 in each numerator and denominator.
    @Test func diceLossByHand() {
        let e = 1e-5
        let expected = 1 - (0.8 + e) / (2.4 + e) - (2.4 + e) / (5.6 + e)
        #expect(abs(DiceLoss().value(Self.group.sums) - expected) < 1e-14)
    }

    /// 0.05 0.04 / 1 + 0.95 (0.16 + 0.01 + 0.01) / 3
    @Test func sensitivitySpecificityByHand() {
        let expected = 0.05 * 0.04 / (1 + 1e-5) + 0.95 * 0.18 / (3 + 1e-5)
        #expect(abs(SensitivitySpecificityLoss().value(Self.group.sums) - expected) < 1e-14)
    }

    static let losses: [any SegmentationLoss] = [
        DiceLoss(), SensitivitySpecificityLoss(), SensitivitySpecificityLoss(lambda: 0.5),
        CombinedLoss([
            .init(GeneralisedDiceLoss()), .init(SensitivitySpecificityLoss(), weight: 0.3),
            .init(DiceLoss(), weight: 2),
        ]),
    ]

    /// Step 1e-5, as for the Generalised Dice loss.
    @Test(arguments: losses.indices, [2, 4])
    func gradientAgreesWithCentralDifferences(index: Int, classes: Int) {
        check(Self.losses[index], as: Self.losses[index], classes: classes)
    }

    /// The weights are constants of the gradient: differences are of the loss with its weights held.
    @Test(arguments: [2, 4])
    func crossEntropyHoldsItsWeights(classes: Int) {
        let group = VoxelGroup(seed: 11, classes: classes, voxels: 60)
        let held = HeldWeights(WeightedCrossEntropy().gradient(group.sums).likelihood)
        #expect(abs(held.value(group.sums) - WeightedCrossEntropy().value(group.sums)) < 1e-12)
        // The third derivative of log p is 2/p^3, 16,000 at the smallest p: truncation of 1e-8.
        check(WeightedCrossEntropy(), as: held, classes: classes, tolerance: 1e-7)
    }

    private func check(
        _ loss: some SegmentationLoss, as value: some SegmentationLoss, classes: Int, tolerance: Double = 1e-8
    ) {
        let group = VoxelGroup(seed: 11, classes: classes, voxels: 60)
        for voxel in 0..<60 {
            for label in 0..<classes {
                let expected = group.difference(of: value, at: voxel, label: label)
                let found = group.derivative(of: loss, at: voxel, label: label)
                #expect(abs(found - expected) < tolerance, "class \(label) at voxel \(voxel)")
            }
        }
    }

    struct HeldWeights: SegmentationLoss {
        let pooling = Pooling.image
        let weights: [Double]

        init(_ weights: [Double]) { self.weights = weights }

        func value(_ sums: LossSums) -> Double {
            zip(weights, sums.logLikelihood).reduce(0) { $0 + $1.0 * $1.1 }
        }

        func gradient(_ sums: LossSums) -> LossGradient { LossGradient(classes: weights.count) }
    }

    /// Empty and full references, predictions of exactly 0 and 1: nothing is infinite.
    @Test(arguments: [(0.0, 0.0), (0, 1), (1, 0), (1, 1), (0, 0.5), (1, 0.5)])
    func extremesStayFinite(reference: Double, prediction: Double) {
        let cube = 614_125.0  // 85^3
        let (v, p) = (reference * cube, prediction * cube)
        let error = cube * (reference - prediction) * (reference - prediction)
        // log 0 does not occur: the softmax of finite logits is above 0, if only by 1e-300.
        let log = Double.log(max(1e-300, reference == 1 ? prediction : 1 - prediction)) * cube
        let sums = LossSums(
            voxels: cube, reference: [cube - v, v], prediction: [cube - p, p],
            intersection: [(1 - reference) * (1 - prediction) * cube, reference * prediction * cube],
            errorInside: [(1 - reference) * error, reference * error],
            errorOutside: [reference * error, (1 - reference) * error],
            logLikelihood: [(1 - reference) * log, reference * log])
        for loss in Self.losses + [WeightedCrossEntropy()] {
            #expect(loss.value(sums).isFinite, "\(loss)")
            let gradient = loss.gradient(sums)
            let all =
                gradient.constant + gradient.reference + gradient.inside + gradient.outside
                + gradient.likelihood
            #expect(all.count == 10 && all.allSatisfy(\.isFinite), "\(loss): \(gradient)")
        }
    }

    /// A perfect match: WCE 0, DL2 0, SS 0.
    @Test func perfectMatchCostsNothing() {
        let sums = LossSums(
            voxels: 100, reference: [90, 10], prediction: [90, 10], intersection: [90, 10],
            logLikelihood: [0, 0])
        #expect(WeightedCrossEntropy().value(sums) == 0)
        #expect(SensitivitySpecificityLoss().value(sums) == 0)
        #expect(abs(DiceLoss().value(sums)) < 1e-6)
    }
}
