import Engine
import Testing

@testable import Losses

/// Groups at the edge of what a patch can hold: value in [0, 1], gradient finite, and where it can be said by
/// hand, what they are.
@Suite struct GeneralisedDiceExtremeTests {
    struct Extreme: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let sums: LossSums

        init(
            _ name: String, _ voxels: Double, _ reference: [Double], _ prediction: [Double],
            _ intersection: [Double]
        ) {
            testDescription = name
            sums = LossSums(
                voxels: voxels, reference: reference, prediction: prediction, intersection: intersection)
        }
    }

    static let cube = 614_125.0  // 85^3
    static let extremes: [Extreme] = [
        Extreme("no foreground, none predicted", cube, [cube, 0], [cube, 0], [cube, 0]),
        Extreme("no foreground, all predicted", cube, [cube, 0], [0, cube], [0, 0]),
        Extreme("all foreground, none predicted", cube, [0, cube], [cube, 0], [0, 0]),
        Extreme("all foreground, all predicted", cube, [0, cube], [0, cube], [0, cube]),
        Extreme("one voxel of 85^3, missed", cube, [cube - 1, 1], [cube, 0], [cube - 1, 0]),
        Extreme("one voxel of 85^3, found", cube, [cube - 1, 1], [cube - 1, 1], [cube - 1, 1]),
        Extreme(
            "one voxel of 85^3 at one half", cube, [cube - 1, 1], [cube / 2, cube / 2], [cube / 2 - 0.5, 0.5]),
        Extreme("one voxel in all", 1, [0, 1], [1, 0], [0, 0]),
        Extreme(
            "huge range of volumes", 1e15, [1e15, 1, 1e-12, 0], [5e14, 5e14, 1, 1], [5e14, 0.5, 1e-12, 0]),
        Extreme("soft volume near nothing", 8, [8, 1e-200], [4, 4], [4, 1e-200]),
        Extreme("nothing at all", 0, [0, 0], [0, 0], [0, 0]),
    ]

    @Test(arguments: extremes, GeneralisedDiceLoss.Weights.allCases)
    func staysFinite(extreme: Extreme, weights: GeneralisedDiceLoss.Weights) {
        for convention in GeneralisedDiceLoss.Convention.allCases {
            let loss = GeneralisedDiceLoss(weights: weights, convention: convention)
            let value = loss.value(extreme.sums)
            // 1e-12 above and below: roundings of the sums, not of the loss.
            #expect(value >= -1e-12 && value <= 1 + 1e-12, "\(convention): \(value)")
            let gradient = loss.gradient(extreme.sums)
            #expect(gradient.constant.count == extreme.sums.reference.count)
            #expect(gradient.reference.count == extreme.sums.reference.count)
            for coefficient in gradient.constant + gradient.reference {
                #expect(coefficient.isFinite, "\(convention): \(gradient)")
            }
        }
    }

    /// V = (N - 1, 1), P = (N, 0): 1 - 2 w (N - 1) / (w (2 N - 1) + 1) with w = 1/(N - 1)^2.
    @Test func aMissedVoxelCostsNearlyEverything() {
        let n = Self.cube
        let sums = LossSums(voxels: n, reference: [n - 1, 1], prediction: [n, 0], intersection: [n - 1, 0])
        let weight = 1 / ((n - 1) * (n - 1))
        let expected = 1 - 2 * weight * (n - 1) / (weight * (2 * n - 1) + 1)
        #expect(abs(GeneralisedDiceLoss().value(sums) - expected) < 1e-14)
        #expect(expected > 0.999)
        // The pull on that voxel: -2 / (V + P) of its class and no more, whatever 1/V^2 of the background.
        let gradient = GeneralisedDiceLoss().gradient(sums)
        #expect(abs(gradient.reference[1] + 2) < 1e-5)
    }

    /// An empty patch still pulls the foreground down.
    @Test func emptyForegroundHasAGradient() {
        let n = Self.cube
        let sums = LossSums(
            voxels: n, reference: [n, 0], prediction: [n / 2, n / 2], intersection: [n / 2, 0])
        let gradient = GeneralisedDiceLoss().gradient(sums)
        // w = 1/N^2 for both: num / den^2 w = N/N^2 / (2N/N^2)^2 / N^2 = 1 / (4 N); -2 w / den = -1 / N.
        #expect(abs(gradient.constant[1] * 4 * n - 1) < 1e-12)
        #expect(abs(gradient.reference[0] * n + 1) < 1e-12)
        #expect(gradient.constant[0] + gradient.reference[0] < 0)
    }
}
