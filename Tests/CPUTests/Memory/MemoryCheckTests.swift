import Geometry
import Losses
import Networks
import Testing

@testable import CPU
@testable import Engine

/// Memory filled with NaN before it is written, and guarded.
@Suite(.serialized) struct MemoryCheckTests {
    /// The networks' results do not depend on what their memory holds, to the bit, and no operation writes
    /// beside its own.
    @Test(arguments: GradientsBySlotTests.cases, ConvolutionAlgorithm.allCases.filter { $0 != .auto })
    func networksReadWhatTheyHaveWritten(of one: GradientsBySlotTests.Case, algorithm: ConvolutionAlgorithm)
        throws
    {
        let graph = try NetworkRegistry.network(
            named: one.name, inputChannels: 2, classes: 2, options: one.options
        ).graph()
        for bySlot in [false, true] {
            let expected = try step(graph, one.size, algorithm, bySlot: bySlot, checksMemory: false)
            let found = try step(graph, one.size, algorithm, bySlot: bySlot, checksMemory: true)
            #expect(found.allSatisfy { $0.isFinite } && found.contains { $0 != 0 })
            #expect(found == expected)
        }
        let model = SmallNetwork.model(graph)
        func logits(checksMemory: Bool) throws -> [Float] {
            let plan = try Plan(
                inference: graph, inputSize: one.size, slots: 2, threads: 2, sharing: model,
                algorithms: AlgorithmChoice(algorithm), checksMemory: checksMemory)
            for slot in 0..<2 { fill(plan, slot) }
            try plan.forward()
            try plan.forward()
            return plan.logits(slot: 1)
        }
        let expected = try logits(checksMemory: false)
        #expect(expected.allSatisfy { $0.isFinite })
        #expect(try logits(checksMemory: true) == expected)
    }

    /// Gradients and running statistics after a step of two micro-batches.
    private func step(
        _ graph: Graph, _ size: Size3, _ algorithm: ConvolutionAlgorithm, bySlot: Bool, checksMemory: Bool
    ) throws -> [Float] {
        let model = SmallNetwork.model(graph)
        let plan = try Plan(
            training: graph, inputSize: size,
            options: Plan.Options(
                slots: 2, threads: 2, algorithms: AlgorithmChoice(algorithm), gradientsBySlot: bySlot,
                microBatches: 2, checksMemory: checksMemory),
            loss: GeneralisedDiceLoss(), model: model)
        let parts = MicroBatches(of: plan, seed: 1, step: 1) { part in
            for slot in 0..<2 { SmallNetwork.fill(plan, slot: slot, drawn: 2 * part + slot, classes: 2) }
        }
        try parts.forward()
        _ = try parts.loss()
        try parts.backward()
        return model.gradients.values + model.statistics.values
    }

    private func fill(_ plan: Plan, _ slot: Int) {
        var draws = FixtureDraws("memory \(slot)")
        plan.withInput(slot: slot) { image in
            for index in image.indices { image[index] = Float(draws.signed()) }
        }
    }

    /// Two buffers side by side, then one in the place of both.
    @Test func whatIsWrittenBesideABufferIsFound() throws {
        let planner = MemoryPlanner(guardFloats: MemoryCheck.guardFloats)
        let first = planner.buffer(count: 100, at: 0)
        let second = planner.buffer(count: 1024, at: 0)
        first.touch(1)
        let third = planner.buffer(count: 3000, at: 2)
        let arena = FloatStorage(count: planner.layOut())
        planner.bind(to: arena)
        let check = MemoryCheck(planner, arena: arena)
        check.begin()
        check.prepare(time: 0)
        #expect((0..<100).allSatisfy { first.pointer[$0].isNaN })
        #expect((0..<1024).allSatisfy { second.pointer[$0].isNaN })
        for index in 0..<100 { first.pointer[index] = 1 }
        try check.verify(time: 0, operation: "a step")
        check.prepare(time: 1)
        // What is alive keeps its values.
        #expect((0..<100).allSatisfy { first.pointer[$0] == 1 })
        try check.verify(time: 1, operation: "a step")
        for (buffer, index) in [(first, 100), (first, -1), (second, 1024)] {
            let before = buffer.pointer[index]
            buffer.pointer[index] = 0
            #expect(throws: EngineError.memoryOverwritten(operation: "a step")) {
                try check.verify(time: 0, operation: "a step")
            }
            buffer.pointer[index] = before
        }
        // Dead buffers' guards are others' room.
        check.prepare(time: 2)
        for index in 0..<3000 { third.pointer[index] = 2 }
        try check.verify(time: 2, operation: "a step")
    }
}
