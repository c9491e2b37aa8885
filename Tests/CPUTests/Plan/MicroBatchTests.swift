import CPU
import Engine
import Foundation
import Geometry
import Losses
import Testing

/// A step of several micro-batches is a step on one batch of all their patches.
@Suite(.serialized) struct MicroBatchTests {
    /// Instance normalisation, dropout, a convolution that sums for the normalisation, and one that does not.
    static func graph() -> Graph {
        var graph = Graph(inputChannels: 2)
        var x = graph.convolution(graph.input, name: "first", channels: 6, kernel: Size3(cube: 3))
        x = graph.prelu(graph.instanceNormalisation(x, name: "first.norm"), name: "first.activation")
        x = graph.dropout(
            graph.convolution(x, name: "second", channels: 9, kernel: Size3(cube: 3)), rate: 0.3)
        x = graph.relu(graph.groupNormalisation(x, name: "second.norm", groups: 3))
        graph.setOutput(
            graph.convolution(x, name: "logits", channels: 3, kernel: Size3(cube: 1), bias: true))
        return graph
    }

    static let slots = 4

    static func losses(_ pooling: Pooling) -> [any SegmentationLoss] {
        [
            GeneralisedDiceLoss(pooling: pooling), WeightedCrossEntropy(pooling: pooling),
            DiceLoss(pooling: pooling), SensitivitySpecificityLoss(pooling: pooling),
            CombinedLoss([
                CombinedLoss.Term(GeneralisedDiceLoss(pooling: pooling)),
                CombinedLoss.Term(WeightedCrossEntropy(pooling: pooling), weight: 0.5),
            ]),
        ]
    }

    private struct Outcome {
        var report: BatchReport
        var gradients: [Float]
        var loaded: [Int] = []
        var completed: [Range<Int>] = []
    }

    private func outcome(
        of count: Int, loss: any SegmentationLoss, gradientsBySlot: Bool = false, isSoft: Bool = false
    ) throws -> Outcome {
        let graph = Self.graph()
        let model = SmallNetwork.model(graph)
        let plan = try Plan(
            training: graph, inputSize: Size3(7, 8, 9),
            options: Plan.Options(
                slots: Self.slots / count, gradientsBySlot: gradientsBySlot, microBatches: count),
            loss: loss, model: model)
        var loaded: [Int] = []
        let step = MicroBatches(of: plan, seed: 2, step: 3) { index in
            loaded.append(index)
            for slot in 0..<Self.slots / count {
                SmallNetwork.fill(plan, slot: slot, drawn: slot * count + index)
                guard isSoft else { continue }
                plan.withSoftReference(slot: slot) { soft in
                    let voxels = soft.count / 3
                    for voxel in 0..<voxels {
                        let share = Float((voxel * 7 + slot * count + index) % 10) / 10
                        soft[voxel] = 1 - share
                        soft[voxels + voxel] = share / 4
                        soft[2 * voxels + voxel] = share * 3 / 4
                    }
                }
            }
        }
        try step.forward()
        let report = try step.loss()
        var completed: [Range<Int>] = []
        try step.backward { completed.append($0) }
        return Outcome(
            report: report, gradients: model.gradients.values, loaded: loaded, completed: completed)
    }

    private func expectEqual(
        _ found: Outcome, _ expected: Outcome, _ comment: Comment,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        func error(_ x: [Double], _ y: [Double]) -> Double {
            x.count == y.count ? zip(x, y).map { abs($0 - $1) / max(abs($1), 1) }.max() ?? 0 : .infinity
        }
        let (a, b) = (found.report, expected.report)
        // Sums over voxels in double, of probabilities in float32.
        let worst =
            [
                error([a.loss, a.dice, a.foregroundFraction], [b.loss, b.dice, b.foregroundFraction]),
                error(a.slotLosses, b.slotLosses), error(a.sums.prediction, b.sums.prediction),
                error(a.slotSums.flatMap(\.intersection), b.slotSums.flatMap(\.intersection)),
            ].max() ?? 1
        #expect(worst < 1e-6, comment, sourceLocation: sourceLocation)
        // Sums over slots in another order: float32 rounding.
        let gradient = relativeError(found.gradients, expected.gradients)
        #expect(gradient < 1e-5, comment, sourceLocation: sourceLocation)
    }

    @Test(arguments: Pooling.allCases)
    func lossAndGradientAreThoseOfOneBatch(pooling: Pooling) throws {
        for loss in Self.losses(pooling) {
            let whole = try outcome(of: 1, loss: loss)
            #expect(whole.report.slotLosses.count == Self.slots)
            #expect(Set(whole.report.slotLosses).count == Self.slots)
            for count in [2, 4] {
                expectEqual(try outcome(of: count, loss: loss), whole, "\(loss), \(count) micro-batches")
            }
        }
    }

    @Test(arguments: Pooling.allCases)
    func softReferencesAreLoadedWithTheirPatches(pooling: Pooling) throws {
        let loss = GeneralisedDiceLoss(pooling: pooling)
        let whole = try outcome(of: 1, loss: loss, isSoft: true)
        #expect(try outcome(of: 1, loss: loss).report.loss != whole.report.loss)
        expectEqual(try outcome(of: 2, loss: loss, isSoft: true), whole, "soft")
    }

    @Test(arguments: Pooling.allCases)
    func gradientsBySlotAreAddedToo(pooling: Pooling) throws {
        let loss = GeneralisedDiceLoss(pooling: pooling)
        expectEqual(
            try outcome(of: 2, loss: loss, gradientsBySlot: true), try outcome(of: 1, loss: loss), "by slot")
    }

    /// Only pooled sums need a second forward pass, and not of the micro-batch at hand.
    @Test func eachIsLoadedWhenItRuns() throws {
        let image = try outcome(of: 4, loss: GeneralisedDiceLoss(pooling: .image))
        #expect(image.loaded == [0, 1, 2, 3])
        let batch = try outcome(of: 4, loss: GeneralisedDiceLoss(pooling: .batch))
        #expect(batch.loaded == [3, 2, 1, 0, 1, 2, 3])
        #expect(try outcome(of: 1, loss: GeneralisedDiceLoss(pooling: .batch)).loaded == [0])
    }

    /// The reduction sees one backward a step.
    @Test(arguments: Pooling.allCases)
    func rangesAreCompletedOnce(pooling: Pooling) throws {
        let ranges = try outcome(of: 4, loss: GeneralisedDiceLoss(pooling: pooling)).completed
        #expect(ranges.first?.lowerBound == 0)
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(ranges.last?.upperBound == SmallNetwork.model(Self.graph()).gradients.count)
        #expect(ranges.count { !$0.isEmpty } > 2)
    }

    /// A copy of the gradients is all that micro-batches cost, one of each slot's where they are formed a
    /// slot at a time.
    @Test func memoryIsOneMoreSetOfGradients() throws {
        func bytes(_ microBatches: Int, bySlot: Bool = false) throws -> Int {
            try Plan(
                training: Self.graph(), inputSize: Size3(7, 8, 9),
                options: Plan.Options(slots: 2, gradientsBySlot: bySlot, microBatches: microBatches),
                loss: GeneralisedDiceLoss()
            ).peakBytes
        }
        let gradients = 4 * SmallNetwork.model(Self.graph()).gradients.count
        #expect(try bytes(3) == bytes(1) + gradients)
        #expect(try bytes(3, bySlot: true) == bytes(1, bySlot: true) + 2 * gradients)
    }

    /// Micro-batches of one slot of ones and of threes: means 1 and 3, variance 0. Running statistics r move
    /// to 0.9 r + 0.1 x, by the one that forward comes to last at the end: the second (image), the first
    /// (batch).
    @Test(arguments: [(Pooling.image, 0.9 * 0.1 + 0.3), (.batch, 0.9 * 0.3 + 0.1)])
    func runningStatisticsMoveOnceAMicroBatch(pooling: Pooling, mean: Double) throws {
        var graph = Graph(inputChannels: 1)
        let x = graph.convolution(graph.input, name: "copy", channels: 1, kernel: Size3(cube: 1))
        let y = graph.batchNormalisation(x, name: "norm")
        graph.setOutput(graph.convolution(y, name: "logits", channels: 2, kernel: Size3(cube: 1)))
        let model = Parameters(graph: graph)
        model.parameters["copy.weight"] = [1]
        let plan = try Plan(
            training: graph, inputSize: Size3(cube: 4), options: Plan.Options(slots: 1, microBatches: 2),
            loss: GeneralisedDiceLoss(pooling: pooling), model: model)
        let step = MicroBatches(of: plan) { index in
            plan.withInput(slot: 0) { $0.update(repeating: Float(1 + 2 * index)) }
        }
        try step.forward()
        _ = try step.loss()
        try step.backward()
        #expect(abs(Double(model.statistics["norm.running_mean"][0]) - mean) < 1e-6)
        #expect(abs(Double(model.statistics["norm.running_variance"][0]) - 0.81) < 1e-6)
    }
}
