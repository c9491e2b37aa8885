import Engine
import Testing

@testable import Losses

@Suite struct GeneralisedDiceGradientTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let loss: GeneralisedDiceLoss
        let classes: Int
        var testDescription: String { "\(loss.weights) \(loss.convention) \(classes) classes" }

        static let all: [Case] = GeneralisedDiceLoss.Weights.allCases.flatMap { weights in
            GeneralisedDiceLoss.Convention.allCases.flatMap { convention in
                [2, 4].map {
                    Case(loss: GeneralisedDiceLoss(weights: weights, convention: convention), classes: $0)
                }
            }
        }
    }

    /// Central differences of the value over single probabilities. Step 1e-5: truncation about 1e-10 of the
    /// derivative, rounding about 1e-16 / 1e-5; derivatives are of the order 1e-3 to 1e-1.
    @Test(arguments: Case.all)
    func agreesWithCentralDifferences(case: Case) {
        let group = VoxelGroup(seed: 11, classes: `case`.classes, voxels: 60)
        for voxel in 0..<60 {
            for label in 0..<`case`.classes {
                let expected = group.difference(of: `case`.loss, at: voxel, label: label)
                let found = group.derivative(of: `case`.loss, at: voxel, label: label)
                #expect(abs(found - expected) < 1e-9, "class \(label) at voxel \(voxel)")
            }
        }
    }

    /// The same where a class is absent from the reference.
    @Test(arguments: GeneralisedDiceLoss.Convention.allCases)
    func agreesWithCentralDifferencesOfAnAbsentClass(convention: GeneralisedDiceLoss.Convention) {
        let predictions = (0..<20).map { 0.04 * Double($0) + 0.05 }
        let group = VoxelGroup(foreground: Array(repeating: 0, count: 20), prediction: predictions)
        let loss = GeneralisedDiceLoss(convention: convention)
        for voxel in 0..<20 {
            for label in 0...1 {
                let expected = group.difference(of: loss, at: voxel, label: label)
                #expect(abs(group.derivative(of: loss, at: voxel, label: label) - expected) < 1e-9)
            }
        }
    }

    /// The two-class gradient as the paper prints it is the negative of the derivative, at every voxel.
    @Test func paperPrintsTheGradientWithItsSignReversed() {
        let group = VoxelGroup(seed: 5, classes: 2, voxels: 50)
        let (r, p) = (group.reference[1], group.prediction[1])
        let count = 50.0
        let foreground = 1 / (r.reduce(0, +) * r.reduce(0, +))
        let background = 1 / ((count - r.reduce(0, +)) * (count - r.reduce(0, +)))
        let sum = p.reduce(0, +) + r.reduce(0, +)
        let overlap = zip(p, r).map(*).reduce(0, +)
        let loss = GeneralisedDiceLoss()
        for voxel in 0..<50 {
            let braces =
                (foreground * foreground - background * background) * (overlap - r[voxel] * sum)
                + count * background * (foreground + background) * (1 - 2 * r[voxel])
            let root = (foreground - background) * sum + 2 * count * background
            let printed = -2 * braces / (root * root)
            // In the paper p is the foreground's and 1 - p the background's: one derivative less the other.
            let found =
                group.derivative(of: loss, at: voxel, label: 1)
                - group.derivative(of: loss, at: voxel, label: 0)
            #expect(abs(found + printed) < 1e-12 * abs(printed))
            #expect(abs(printed) > 1e-3)
        }
    }

    /// More foreground on a foreground voxel must lower the loss.
    @Test func pointsUphill() {
        let group = VoxelGroup(foreground: [1, 0, 0, 0], prediction: [0.5, 0.5, 0.5, 0.5])
        #expect(group.derivative(of: GeneralisedDiceLoss(), at: 0, label: 1) < 0)
        #expect(group.derivative(of: GeneralisedDiceLoss(), at: 1, label: 1) > 0)
    }
}
