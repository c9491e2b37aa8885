import CPU
import Engine
import Foundation
import Geometry
import Losses
import Testing

/// Dropout: how much, which, and that backward drops the same.
@Suite struct DropoutTests {
    /// Twelve times a 1^3 convolution of an image of ones with weights 1: what is read is the mask.
    private func mask(
        rate: Double = 0.25, seed: UInt64 = 3, step: Int = 5, slots: Range<Int> = 0..<4, threads: Int = 1,
        instructionSet: InstructionSet? = nil
    ) throws -> [[Float]] {
        var graph = Graph(inputChannels: 1)
        let spread = graph.convolution(graph.input, name: "spread", channels: 12, kernel: Size3(cube: 1))
        graph.setOutput(graph.dropout(spread, rate: rate))
        let model = Parameters(graph: graph)
        model.parameters["spread.weight"] = [Float](repeating: 1, count: 12)
        let plan = try Plan(
            training: graph, inputSize: Size3(6, 7, 9),
            options: Plan.Options(
                slots: slots.count, firstSlot: slots.lowerBound, globalSlots: slots.count, threads: threads),
            loss: GeneralisedDiceLoss(), model: model, instructionSet: instructionSet)
        for slot in 0..<slots.count { plan.withInput(slot: slot) { $0.update(repeating: 1) } }
        try plan.forward(seed: seed, step: step)
        return (0..<slots.count).map { plan.logits(slot: $0) }
    }

    /// Values are 0 or 1 / (1 - rate); of 18,144 with p = 0.75 a share within four deviations, 4 * 0.0032.
    @Test func shareAndScale() throws {
        let values = try mask().flatMap { $0 }
        let kept = values.filter { $0 != 0 }
        #expect(kept.allSatisfy { abs($0 - 4.0 / 3) < 1e-6 })
        #expect(abs(Double(kept.count) / Double(values.count) - 0.75) < 0.013)
    }

    @Test func everySlotStepAndSeedDrawsAnew() throws {
        let base = try mask()
        #expect(base[0] != base[1])
        #expect(try mask(step: 6)[0] != base[0])
        #expect(try mask(seed: 4)[0] != base[0])
    }

    /// The same slots on one rank or two, on other threads and on other vectors.
    @Test func whoComputesDoesNotMatter() throws {
        let base = try mask()
        #expect(try mask(slots: 2..<4) == Array(base[2...]))
        #expect(try mask(threads: 2) == base)
        for set in InstructionSet.available { #expect(try mask(instructionSet: set) == base) }
    }

    @Test func inferenceKeepsEverything() throws {
        var graph = Graph(inputChannels: 1)
        let x = graph.dropout(graph.input, rate: 0.9)
        graph.setOutput(graph.convolution(x, name: "spread", channels: 2, kernel: Size3(cube: 1)))
        let model = Parameters(graph: graph)
        model.parameters["spread.weight"] = [1, 1]
        let plan = try Plan(inference: graph, inputSize: Size3(cube: 4), slots: 1, threads: 1, sharing: model)
        plan.withInput(slot: 0) { $0.update(repeating: 1) }
        try plan.forward()
        #expect(plan.logits(slot: 0).allSatisfy { $0 == 1 })
    }

    /// With the mask held, the loss is a smooth function of the weights; its slope is the gradient that
    /// backward gives.
    @Test func backwardDropsTheSame() throws {
        var graph = Graph(inputChannels: 2)
        let first = graph.convolution(graph.input, name: "first", channels: 9, kernel: Size3(cube: 3))
        let dropped = graph.dropout(first, rate: 0.5)
        graph.setOutput(graph.convolution(dropped, name: "last", channels: 2, kernel: Size3(cube: 1)))
        let plan = try Plan(
            training: graph, inputSize: Size3(cube: 6), options: Plan.Options(slots: 1),
            loss: GeneralisedDiceLoss(weights: .uniform))
        plan.withInput(slot: 0) { image in
            for index in image.indices { image[index] = Float(index * 7919 % 101) / 50 - 1 }
        }
        plan.withReference(slot: 0) { for index in $0.indices { $0[index] = index % 3 == 0 ? 1 : 0 } }
        func loss() throws -> Double {
            try plan.forward(seed: 1, step: 2)
            return try plan.loss().loss
        }
        _ = try loss()
        try plan.backward()
        let gradient = plan.model.gradients["first.weight"]
        let weights = plan.model.parameters["first.weight"]
        let step: Float = 1e-2
        for index in [0, 17, 100, 301] {
            var moved = weights
            moved[index] += step
            plan.model.parameters["first.weight"] = moved
            let above = try loss()
            moved[index] -= 2 * step
            plan.model.parameters["first.weight"] = moved
            let below = try loss()
            plan.model.parameters["first.weight"] = weights
            let slope = (above - below) / Double(2 * step)
            // The curvature leaves 1e-4 of the largest slope, rounding 1e-5.
            #expect(abs(slope - Double(gradient[index])) < 2e-5 + 1e-2 * abs(slope))
        }
    }
}
