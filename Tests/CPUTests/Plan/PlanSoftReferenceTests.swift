import CPU
import Engine
import Foundation
import Geometry
import Losses
import Testing

/// Depends on every sum, differently in each class: L = sum_l a_l P + b_l I + c_l A + d_l B + e_l C.
private struct LinearLoss: SegmentationLoss {
    let pooling: Pooling
    let derivatives = LossGradient(
        constant: [0.3, -0.2, 0.5], reference: [-1.1, 0.7, 0.4], inside: [0.9, -0.6, 0.8],
        outside: [0.35, 1.2, -0.45], likelihood: [-0.5, -0.8, -1.3])

    func value(_ sums: LossSums) -> Double {
        func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
        return dot(derivatives.constant, sums.prediction) + dot(derivatives.reference, sums.intersection)
            + dot(derivatives.inside, sums.errorInside) + dot(derivatives.outside, sums.errorOutside)
            + dot(derivatives.likelihood, sums.logLikelihood)
    }

    func gradient(_ sums: LossSums) -> LossGradient { derivatives }
}

/// References that are probabilities, in the plan.
@Suite struct PlanSoftReferenceTests {
    static let classes = 3
    static let voxels = 8

    /// One patch of 2x2x2 voxels with a channel of its own for each: the weights [class][voxel] are the
    /// logits, and their gradients those of the loss by the logits.
    private func plan(pooling: Pooling) throws -> Plan {
        var graph = Graph(inputChannels: Self.voxels)
        graph.setOutput(
            graph.convolution(graph.input, name: "logits", channels: Self.classes, kernel: Size3(cube: 1)))
        let plan = try Plan(
            training: graph, inputSize: Size3(cube: 2), options: .init(slots: 1),
            loss: LinearLoss(pooling: pooling))
        plan.withInput(slot: 0) { input in
            for voxel in 0..<Self.voxels { input[voxel * Self.voxels + voxel] = 1 }
        }
        return plan
    }

    /// The loss in double from logits and reference, [class][voxel].
    private func value(_ logits: [Double], _ reference: [Double]) -> Double {
        let n = Self.voxels
        var sums = [[Double]](repeating: [Double](repeating: 0, count: Self.classes), count: 6)
        for voxel in 0..<n {
            let scores = (0..<Self.classes).map { exp(logits[$0 * n + voxel]) }
            let total = scores.reduce(0, +)
            for label in 0..<Self.classes {
                let (r, p) = (reference[label * n + voxel], scores[label] / total)
                let parts = [
                    r, p, r * p, r * (r - p) * (r - p), (1 - r) * (r - p) * (r - p), r * log(p),
                ]
                for (index, part) in parts.enumerated() { sums[index][label] += part }
            }
        }
        return LinearLoss(pooling: .image).value(
            LossSums(
                voxels: Double(n), reference: sums[0], prediction: sums[1], intersection: sums[2],
                errorInside: sums[3], errorOutside: sums[4], logLikelihood: sums[5]))
    }

    @Test(arguments: Pooling.allCases)
    func gradientAgreesWithTheDefinition(pooling: Pooling) throws {
        let plan = try plan(pooling: pooling)
        var draws = FixtureDraws("soft reference")
        let logits = (0..<Self.classes * Self.voxels).map { _ in Float(2 * draws.signed()) }
        plan.model.parameters["logits.weight"] = logits
        var reference = [Double](repeating: 0, count: logits.count)
        for voxel in 0..<Self.voxels {
            let scores = (0..<Self.classes).map { _ in Double(draws.word() % 1000) / 1000 + 0.01 }
            let total = scores.reduce(0, +)
            for label in 0..<Self.classes {
                reference[label * Self.voxels + voxel] = Double(Float(scores[label] / total))
            }
        }
        plan.withSoftReference(slot: 0) { for index in $0.indices { $0[index] = Float(reference[index]) } }
        // Labels decide the DSC and nothing else.
        plan.withReference(slot: 0) { for index in $0.indices { $0[index] = UInt8(index % 2) } }
        let report = try SmallNetwork.step(plan)
        let exact = logits.map(Double.init)
        #expect(abs(report.loss - value(exact, reference)) < 1e-5)
        #expect(report.foregroundFraction == 0.5)
        let gradients = plan.model.gradients["logits.weight"]
        for index in logits.indices {
            var (above, below) = (exact, exact)
            above[index] += 1e-5
            below[index] -= 1e-5
            let expected = (value(above, reference) - value(below, reference)) / 2e-5
            // Probabilities are float32.
            #expect(abs(Double(gradients[index]) - expected) < 2e-6, "class and voxel \(index)")
        }
        #expect(gradients.contains { abs($0) > 0.1 })
    }

    /// A soft reference of zeros and ones is the hard one, to the bit.
    @Test(
        arguments: [GeneralisedDiceLoss(), WeightedCrossEntropy(), SensitivitySpecificityLoss()]
            as [any SegmentationLoss])
    func zerosAndOnesAreLabels(loss: any SegmentationLoss) throws {
        func run(soft: Bool) throws -> (BatchReport, [Float]) {
            let model = SmallNetwork.model()
            let plan = try Plan(
                training: SmallNetwork.graph(), inputSize: SmallNetwork.size, options: .init(slots: 2),
                loss: loss,
                model: model)
            for slot in 0..<2 {
                SmallNetwork.fill(plan, slot: slot, drawn: slot)
                guard soft else { continue }
                let labels = plan.withReference(slot: slot) { Array($0) }
                plan.withSoftReference(slot: slot) { reference in
                    for (voxel, label) in labels.enumerated() {
                        for index in 0..<SmallNetwork.classes {
                            reference[index * labels.count + voxel] = index == Int(label) ? 1 : 0
                        }
                    }
                }
            }
            return (try SmallNetwork.step(plan), model.gradients.values)
        }
        let (hard, hardGradients) = try run(soft: false)
        let (soft, softGradients) = try run(soft: true)
        #expect(soft.slotSums == hard.slotSums)
        #expect(soft.loss == hard.loss && soft.dice == hard.dice)
        #expect(softGradients == hardGradients)
        #expect(hardGradients.contains { $0 != 0 })
    }
}
