import Geometry
import Losses
import Testing

@testable import CPU
@testable import Engine

/// The reference device itself: what PyTorch computes, and gradients that are those of its own loss.
@Suite struct ReferenceDeviceTests {
    /// 2e-7: what is compared with is stored as float32.
    @Test(arguments: FixtureTests.operations)
    func itComputesWhatPyTorchDoes(fixture: FixtureCase) throws {
        let graph = try fixture.graph()
        let model = Parameters(graph: graph)
        fixture.fill(model.parameters)
        fixture.fill(model.statistics)
        let slots = fixture.references.count
        let device = ReferenceDevice()
        var found: [String: [Float]] = [:]
        if fixture.inference {
            let network = try device.compile(
                inference: graph, inputSize: fixture.inputSize, slots: slots, algorithms: AlgorithmChoice(),
                sharing: model)
            for slot in 0..<slots { network.withInput(slot: slot) { fixture.fillImage($0, slot: slot) } }
            try network.forward()
            for slot in 0..<slots { found["logits/\(slot)"] = network.logits(slot: slot) }
        } else {
            let network = try device.compile(
                training: graph, inputSize: fixture.inputSize, options: StepOptions(slots: slots),
                algorithms: AlgorithmChoice(), loss: fixture.makeLoss(), exchange: SoloExchange(),
                model: model)
            for slot in 0..<slots {
                network.withInput(slot: slot) { fixture.fillImage($0, slot: slot) }
                network.withReference(slot: slot) { fixture.fillReference($0, slot: slot) }
            }
            try network.forward()
            for slot in 0..<slots { found["logits/\(slot)"] = network.logits(slot: slot) }
            let report = try network.loss()
            if let expected = fixture.expected.loss { #expect(abs(report.loss - expected) < 1e-10) }
            if let expected = fixture.expected.prediction {
                #expect(zip(report.sums.prediction, expected).allSatisfy { abs($0 - $1) < 1e-8 })
            }
            try network.backward()
            for (kind, arena) in [("statistic", model.statistics), ("gradient", model.gradients)] {
                for entry in arena.entries { found["\(kind)/\(entry.name)"] = arena[entry.name] }
            }
        }
        let file = try FixtureFile.shared.get()
        for (key, array) in fixture.arrays {
            let values = try #require(found[key], "\(key)")
            #expect(values.count == array.total, "\(key)")
            let sampled = stride(from: 0, to: values.count, by: array.stride).map { values[$0] }
            let error = relativeError(sampled, file.elements(array))
            #expect(error <= 2e-7, "\(key): relative L2 error \(error)")
        }
    }

    /// Of each parameter's tensor, the loss a little along and against its gradient: 1e-6 of the change is the third
    /// derivative; graphs whose rectifiers switch on the way are recognised by their change with half the way.
    @Test func gradientsAreThoseOfItsLoss() throws {
        var compared = 0
        for seed in 1...60 {
            let graphCase = GraphCase.random(seed: seed)
            guard graphCase.slots < 3, let run = try? ReferenceRun(graphCase) else { continue }
            for tensor in try run.trained where tensor.name.hasPrefix("gradient ") {
                let name = String(tensor.name.dropFirst("gradient ".count))
                func along(_ way: Double) throws -> (found: Double, expected: Double)? {
                    try run.inputs.slope(along: name, gradient: tensor.values, by: way)
                }
                guard let slope = try along(1e-5), let closer = try along(5e-6) else { continue }
                // Halving the way quarters what is left of a smooth function; a kink leaves more.
                guard abs(slope.found - closer.found) < 1e-5 * abs(slope.expected) else { continue }
                compared += 1
                #expect(
                    abs(slope.found - slope.expected) < 1e-4 * slope.expected,
                    "\(name): \(slope.found), not \(slope.expected), \(graphCase)")
            }
        }
        #expect(compared > 60)
    }

    /// Loss and gradients of micro-batches are those of one batch where no statistics are taken over it: to the float32
    /// that gradients are stored in.
    @Test(arguments: Pooling.allCases)
    func microBatchesAreOneBatch(pooling: Pooling) throws {
        func outcome(_ microBatches: Int) throws -> (report: BatchReport, gradients: [Float]) {
            let model = SmallNetwork.model(MicroBatchTests.graph())
            let network = try ReferenceDevice().compile(
                training: MicroBatchTests.graph(), inputSize: Size3(7, 8, 9),
                options: StepOptions(slots: 4 / microBatches, microBatches: microBatches),
                algorithms: AlgorithmChoice(), loss: GeneralisedDiceLoss(pooling: pooling),
                exchange: SoloExchange(), model: model)
            let step = MicroBatches(of: network, seed: 2, step: 3) { index in
                for slot in 0..<4 / microBatches {
                    SmallNetwork.fill(network, slot: slot, drawn: slot * microBatches + index)
                }
            }
            try step.forward()
            let report = try step.loss()
            try step.backward()
            return (report, model.gradients.values)
        }
        let whole = try outcome(1)
        #expect(whole.gradients.contains { $0 != 0 })
        for count in [2, 4] {
            let found = try outcome(count)
            #expect(abs(found.report.loss - whole.report.loss) < 1e-12)
            #expect(found.report.slotLosses == whole.report.slotLosses)
            #expect(relativeError(found.gradients, whole.gradients) < 1e-7)
        }
    }
}
