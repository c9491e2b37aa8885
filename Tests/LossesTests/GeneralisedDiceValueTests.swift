import Engine
import Testing

@testable import Losses

/// Values by hand. 1e-12 is some thousand roundings of a double; no sum here is longer than a few terms.
@Suite struct GeneralisedDiceValueTests {
    /// Four voxels, one of them foreground, predicted 0.8, 0.4, 0.1, 0.
    /// V = (3, 1), P = (2.7, 1.3), I = (2.5, 0.8).
    let group = VoxelGroup(foreground: [1, 0, 0, 0], prediction: [0.8, 0.4, 0.1, 0])

    @Test func squareWeights() {
        // w = (1/9, 1): 1 - 2 (2.5/9 + 0.8) / (5.7/9 + 2.3) = 1 - 19.4 / 26.4
        #expect(abs(GeneralisedDiceLoss().value(group.sums) - 7.0 / 26.4) < 1e-12)
    }

    @Test func simpleWeights() {
        // w = (1/3, 1): 1 - 2 (2.5/3 + 0.8) / (5.7/3 + 2.3) = 1 - 9.8 / 12.6
        #expect(abs(GeneralisedDiceLoss(weights: .simple).value(group.sums) - 2.8 / 12.6) < 1e-12)
    }

    @Test func uniformWeights() {
        // 1 - 2 (2.5 + 0.8) / (5.7 + 2.3) = 1 - 6.6 / 8
        #expect(abs(GeneralisedDiceLoss(weights: .uniform).value(group.sums) - 1.4 / 8) < 1e-12)
    }

    @Test func fourClassesOneOfThemAbsent() {
        let sums = LossSums(
            voxels: 10, reference: [6, 3, 1, 0], prediction: [5, 3, 1.5, 0.5], intersection: [4.5, 2, 0.5, 0])
        // w = (1/36, 1/9, 1, 1): the absent class weighs as much as the smallest one.
        let numerator = 2 * (4.5 / 36 + 2.0 / 9 + 0.5)
        let denominator = 11.0 / 36 + 6.0 / 9 + 2.5 + 0.5
        #expect(abs(GeneralisedDiceLoss().value(sums) - (1 - numerator / denominator)) < 1e-12)
    }

    @Test(arguments: GeneralisedDiceLoss.Weights.allCases, GeneralisedDiceLoss.Convention.allCases)
    func perfectMatchIsZeroAndOppositeIsOne(
        weights: GeneralisedDiceLoss.Weights, convention: GeneralisedDiceLoss.Convention
    ) {
        let loss = GeneralisedDiceLoss(weights: weights, convention: convention)
        #expect(loss.value(VoxelGroup(foreground: [1, 0, 0, 1], prediction: [1, 0, 0, 1]).sums) == 0)
        let opposite = loss.value(VoxelGroup(foreground: [1, 0, 0, 1], prediction: [0, 1, 1, 0]).sums)
        // MONAI's 1e-5 in the numerator is at most that much of the denominator's w (V + P) = 2.
        #expect(abs(opposite - 1) <= (convention == .monai ? 1e-5 : 0))
    }

    /// A group of background only, predicted at 0.5, reads 0.5 at any size; MONAI's constant swamps it.
    @Test(arguments: [1.0, 3375, 884_736, 1e9])
    func emptyForegroundAtOneHalf(voxels: Double) {
        let sums = LossSums(
            voxels: voxels, reference: [voxels, 0], prediction: [voxels / 2, voxels / 2],
            intersection: [voxels / 2, 0])
        #expect(abs(GeneralisedDiceLoss().value(sums) - 0.5) < 1e-12)

        let monai = GeneralisedDiceLoss(convention: .monai).value(sums)
        // w = 1/N^2 for both classes: 1 - (1/N + s) / (2/N + s)
        #expect(abs(monai - (1 - (1 / voxels + 1e-5) / (2 / voxels + 1e-5))) < 1e-12)
        if voxels == 884_736 { #expect(abs(monai - 0.09) < 0.005) }
    }

    /// What `GeneralizedDiceLoss(w_type=…)` of MONAI 1.6.1 gives on float64 tensors with these sums. 3e-8: it
    /// computes its weights in float32. Its constant moves the first three values by 2e-7 to 9e-7.
    @Test func monaiValues() {
        func value(_ weights: GeneralisedDiceLoss.Weights, _ sums: LossSums) -> Double {
            GeneralisedDiceLoss(weights: weights, convention: .monai).value(sums)
        }
        let absent = LossSums(
            voxels: 10, reference: [6, 3, 1, 0], prediction: [5, 3, 1.5, 0.5], intersection: [4.5, 2, 0.5, 0])
        let empty = LossSums(
            voxels: 1000, reference: [1000, 0], prediction: [700, 300], intersection: [700, 0])
        #expect(abs(value(.square, group.sums) - 0.26515061099999704) < 3e-8)
        #expect(abs(value(.simple, group.sums) - 0.22222169178264706) < 3e-8)
        #expect(abs(value(.uniform, group.sums) - 0.1749997812502735) < 3e-8)
        #expect(abs(value(.square, absent) - 0.5734251293141748) < 3e-8)
        #expect(abs(value(.simple, absent) - 0.43902374479168094) < 3e-8)
        #expect(abs(value(.uniform, absent) - 0.299999850000075) < 3e-8)
        #expect(abs(value(.square, empty) - 0.2985074626828177) < 3e-8)
        #expect(abs(value(.simple, empty) - 0.2999985000075712) < 3e-8)
        #expect(abs(value(.uniform, empty) - 0.29999999850000003) < 3e-8)
    }

    @Test func swappingClassesChangesNothing() {
        let group = VoxelGroup(seed: 3, classes: 4, voxels: 200)
        var swapped = group
        swapped.reference.swapAt(0, 3)
        swapped.prediction.swapAt(0, 3)
        let loss = GeneralisedDiceLoss()
        // The order of four additions changes: a few roundings.
        #expect(abs(loss.value(group.sums) - loss.value(swapped.sums)) < 1e-14)
    }

    @Test func poolingIsKeptForThePlan() {
        #expect(GeneralisedDiceLoss().pooling == .image)
        #expect(GeneralisedDiceLoss(pooling: .batch).pooling == .batch)
    }
}
