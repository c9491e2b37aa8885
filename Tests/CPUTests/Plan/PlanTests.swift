import Engine
import Foundation
import Geometry
import Host
import Losses
import Testing

@testable import CPU

@Suite(.serialized) struct PlanTests {
    // MARK: What must not matter

    @Test func stepRepeatsBitForBit() throws {
        let model = SmallNetwork.model()
        let plan = try SmallNetwork.plan(model: model)
        let first = try SmallNetwork.step(plan).loss
        let gradients = model.gradients.values
        #expect(try SmallNetwork.step(plan).loss == first)
        #expect(model.gradients.values == gradients)

        let other = SmallNetwork.model()
        let again = try SmallNetwork.plan(model: other)
        #expect(try SmallNetwork.step(again).loss == first)
        #expect(other.gradients.values == gradients)
    }

    /// 1e-6: sums of the same float32 terms in another order.
    @Test func threadsDoNotMatter() throws {
        let one = SmallNetwork.model()
        let two = SmallNetwork.model()
        let lossOfOne = try SmallNetwork.step(SmallNetwork.plan(model: one, threads: 1)).loss
        let lossOfTwo = try SmallNetwork.step(SmallNetwork.plan(model: two, threads: 2)).loss
        #expect(abs(lossOfOne - lossOfTwo) < 1e-6)
        for entry in one.gradients.entries {
            #expect(
                relativeError(two.gradients[entry.name], one.gradients[entry.name]) < 1e-5, "\(entry.name)")
        }
    }

    @Test(arguments: InstructionSet.available)
    func instructionSetDoesNotMatter(instructionSet: InstructionSet) throws {
        let widest = SmallNetwork.model()
        let other = SmallNetwork.model()
        try SmallNetwork.step(SmallNetwork.plan(model: widest))
        let plan = try SmallNetwork.plan(model: other, instructionSet: instructionSet)
        #expect(plan.device.instructionSet == instructionSet)
        try SmallNetwork.step(plan)
        for entry in widest.gradients.entries {
            #expect(
                relativeError(other.gradients[entry.name], widest.gradients[entry.name]) < 1e-5,
                "\(entry.name)")
        }
    }

    /// The same patch in another slot, beside other patches, gives the same bits.
    @Test func slotDoesNotMatterInInference() throws {
        let graph = SmallNetwork.graph(border: 0)
        let model = SmallNetwork.model()
        let plan = try Plan(
            inference: graph, inputSize: SmallNetwork.size, slots: 3, threads: 2, sharing: model)
        func logits(ofPatch patch: Int, inSlot slot: Int) throws -> [Float] {
            for other in 0..<3 { fillImage(plan, slot: other, patch: other == slot ? patch : 10 + other) }
            try plan.forward()
            return plan.logits(slot: slot)
        }
        let first = try logits(ofPatch: 7, inSlot: 0)
        #expect(try logits(ofPatch: 7, inSlot: 1) == first)
        #expect(try logits(ofPatch: 7, inSlot: 2) == first)
        #expect(try logits(ofPatch: 8, inSlot: 2) != first)
    }

    /// Changing one patch must change nothing of another's logits where batch norm is frozen, and something
    /// of them where its statistics are the batch's.
    @Test func patchesMeetInBatchNormOnly() throws {
        let plan = try SmallNetwork.plan()
        try plan.forward()
        let before = plan.logits(slot: 0)
        SmallNetwork.fill(plan, slot: 2, drawn: 9)
        try plan.forward()
        #expect(plan.logits(slot: 0) != before)
    }

    /// Cropping before the 1^3 convolutions gives the centre of the dense logits. 1e-6: their sums are short.
    @Test func denseLogitsHoldTheCroppedOnes() throws {
        let size = SmallNetwork.size
        let model = SmallNetwork.model()
        func logits(border: Int) throws -> (Size3, [Float]) {
            let plan = try Plan(
                inference: SmallNetwork.graph(border: border), inputSize: size, slots: 1, threads: 1,
                sharing: model)
            fillImage(plan, slot: 0, patch: 3)
            try plan.forward()
            return (plan.outputSize, plan.logits(slot: 0))
        }
        let (_, dense) = try logits(border: 0)
        let (inner, cropped) = try logits(border: 2)
        #expect(inner == Size3(5, 4, 7))
        var centre: [Float] = []
        for label in 0..<SmallNetwork.classes {
            for z in 0..<inner.depth {
                for y in 0..<inner.height {
                    let row = ((label * size.depth + z + 2) * size.height + y + 2) * size.width + 2
                    centre += dense[row..<(row + inner.width)]
                }
            }
        }
        #expect(relativeError(cropped, centre) < 1e-6)
    }

    // MARK: Results

    @Test func probabilitiesAreTheSoftmaxOfTheLogits() throws {
        let plan = try Plan(
            inference: SmallNetwork.graph(), inputSize: SmallNetwork.size, slots: 2, threads: 1,
            sharing: SmallNetwork.model())
        for slot in 0..<2 { fillImage(plan, slot: slot, patch: slot) }
        try plan.forward()
        let logits = plan.logits(slot: 1)
        let voxels = plan.outputSize.count
        var probabilities = [Float](repeating: 0, count: logits.count)
        probabilities.withUnsafeMutableBufferPointer { plan.probabilities(slot: 1, into: $0) }
        for voxel in 0..<voxels {
            let exponentials = (0..<3).map { exp(Double(logits[$0 * voxels + voxel])) }
            let total = exponentials.reduce(0, +)
            for label in 0..<3 {
                // A few float32 roundings of numbers up to 1.
                #expect(
                    abs(Double(probabilities[label * voxels + voxel]) - exponentials[label] / total) < 1e-6)
            }
        }
    }

    /// Gradients arrive as one run of ascending ranges, each untouched once it has been reported.
    @Test func backwardReportsFinalRangesInOrder() throws {
        let model = SmallNetwork.model()
        let plan = try SmallNetwork.plan(model: model)
        try plan.forward()
        _ = try plan.loss()
        var end = 0
        var reported: [Float] = []
        try plan.backward { range in
            #expect(range.lowerBound == end)
            end = range.upperBound
            reported += model.gradients.withUnsafeMutableBuffer { Array($0[range]) }
        }
        #expect(end == model.gradients.count)
        #expect(reported == model.gradients.values)
        #expect(model.gradients.entries.map(\.name) == model.parameters.entries.map(\.name))
        #expect(model.gradients.entries.first?.name.hasPrefix("logits.") == true)
        #expect(model.gradients.entries.last?.name == "first.weight")
    }

    /// Logits of hundreds drive p to exactly 0 and 1: loss and gradients must stay finite.
    @Test func saturatedLogitsStayFinite() throws {
        let model = SmallNetwork.model()
        model.parameters["logits.weight"] = model.parameters["logits.weight"].map { $0 * 3000 }
        let plan = try SmallNetwork.plan(model: model)
        try plan.forward()
        #expect((plan.logits(slot: 0).max() ?? 0) > 500)
        let report = try plan.loss()
        try plan.backward()
        #expect(report.loss.isFinite && report.loss > 0 && report.loss < 1)
        #expect(model.gradients.values.allSatisfy { $0.isFinite })
    }

    @Test(arguments: Pooling.allCases)
    func emptyReferencesStayFinite(pooling: Pooling) throws {
        let model = SmallNetwork.model()
        let plan = try SmallNetwork.plan(loss: GeneralisedDiceLoss(pooling: pooling), model: model)
        for slot in 0..<3 { plan.withReference(slot: slot) { $0.update(repeating: 0) } }
        let report = try SmallNetwork.step(plan)
        #expect(report.foregroundFraction == 0)
        #expect(report.loss > 0 && report.loss < 1)
        #expect(model.gradients.values.allSatisfy { $0.isFinite })
        #expect(model.gradients.values.contains { $0 != 0 })
    }

    /// A bias that decides every voxel makes the hard Dice score a matter of counting.
    @Test func diceCountsVoxels() throws {
        let model = SmallNetwork.model()
        model.parameters["logits.weight"] = model.parameters["logits.weight"].map { _ in 0 }
        let plan = try SmallNetwork.plan(model: model)
        let voxels = plan.outputSize.count
        func dice(favoured: Int, foreground: Int) throws -> Double {
            model.parameters["logits.bias"] = (0..<3).map { $0 == favoured ? 1 : 0 }
            for slot in 0..<3 {
                plan.withReference(slot: slot) { labels in
                    for index in labels.indices {
                        labels[index] = index < foreground ? UInt8(1 + slot % 2) : 0
                    }
                }
            }
            try plan.forward()
            let report = try plan.loss()
            #expect(abs(report.foregroundFraction - Double(foreground) / Double(voxels)) < 1e-12)
            return report.dice
        }
        // Every voxel predicted as foreground, 20 of each patch are: 2 * 20 / (voxels + 20); the class is no
        // matter.
        #expect(try abs(dice(favoured: 2, foreground: 20) - 40 / Double(voxels + 20)) < 1e-12)
        #expect(try dice(favoured: 0, foreground: 20) == 0)
        #expect(try dice(favoured: 0, foreground: 0) == 1)
        #expect(try dice(favoured: 1, foreground: voxels) == 1)
    }

    // MARK: Errors

    @Test func patchTooSmallIsAnError() {
        let error = #expect(throws: EngineError.self) {
            try Plan(
                training: SmallNetwork.graph(), inputSize: Size3(4, 8, 8), options: Plan.Options(slots: 1),
                loss: GeneralisedDiceLoss())
        }
        #expect(error?.description.contains("4") == true && error?.description.hasSuffix(".") == true)
    }

    /// Ten thousand patches of 100^3 need terabytes: refused with the numbers, before anything is allocated.
    @Test func tooMuchMemoryIsAnError() {
        let error = #expect(throws: EngineError.self) {
            try Plan(
                training: SmallNetwork.graph(), inputSize: Size3(cube: 100),
                options: Plan.Options(slots: 10_000), loss: GeneralisedDiceLoss())
        }
        #expect(error?.description.contains("MiB") == true)
    }

    /// Ten times the memory of the machine for all, although a plan alone takes little of it.
    @Test func plansThatShareMemoryMustFitTogether() throws {
        let alone = try SmallNetwork.plan(0..<1)
        let available = try #require(Memory.availableBytes)
        let plans = 10 * available / alone.peakBytes
        let error = #expect(throws: EngineError.self) {
            try Plan(
                training: SmallNetwork.graph(), inputSize: alone.inputSize,
                options: Plan.Options(slots: 1, plansSharingMemory: plans), loss: GeneralisedDiceLoss())
        }
        guard case .memory(_, _, _, 1, plans) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func memoryIsSaidARankAndANode() {
        func error(plans: Int) -> EngineError {
            .memory(needed: 3 << 20, available: 5 << 20, input: Size3(4, 8, 9), slots: 2, plans: plans)
        }
        #expect(
            error(plans: 1).description
                == "Patches of 4x8x9 voxels, 2 a rank, need 3 MiB of memory a rank, but 5 MiB are available.")
        #expect(
            error(plans: 4).description
                == "Patches of 4x8x9 voxels, 2 a rank, need 3 MiB of memory a rank, 12 MiB for the 4 ranks of a node, "
                + "but 5 MiB are available.")
    }

    // MARK: Helpers

    private func fillImage(_ plan: Plan, slot: Int, patch: Int) {
        var draws = FixtureDraws("patch \(patch)")
        plan.withInput(slot: slot) { image in
            for index in image.indices { image[index] = Float(draws.signed()) }
        }
    }
}
