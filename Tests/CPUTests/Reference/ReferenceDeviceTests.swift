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
        let outputSize = try graph.outputSize(inputSize: fixture.inputSize)
        var input = ReferenceTensor(slots: slots, channels: fixture.channels, size: fixture.inputSize)
        var labels: [[UInt8]] = []
        for slot in 0..<slots {
            var image = [Float](repeating: 0, count: fixture.channels * fixture.inputSize.count)
            image.withUnsafeMutableBufferPointer { fixture.fillImage($0, slot: slot) }
            for (index, value) in image.enumerated() {
                input.values[slot * image.count + index] = Double(value)
            }
            var reference = [UInt8](repeating: 0, count: outputSize.count)
            reference.withUnsafeMutableBufferPointer { fixture.fillReference($0, slot: slot) }
            labels.append(reference)
        }
        let device = ReferenceDevice(graph, inputSize: fixture.inputSize, model: model)
        var found: [String: [Double]] = [:]
        if fixture.inference {
            let logits = try device.infer(input)
            for slot in 0..<slots { found["logits/\(slot)"] = Array(logits.slot(slot)) }
        } else {
            let loss = try ReferenceLoss(fixture)
            let pooling = try #require(Pooling(rawValue: fixture.pooling))
            let references = labels.map { labels in
                (0..<fixture.classes).map { l in labels.map { $0 == l ? 1.0 : 0 } }
            }
            let outcome = try device.train(input) {
                ReferenceBatchLoss(loss, pooling, logits: $0, references: references, labels: labels)
            }
            for slot in 0..<slots { found["logits/\(slot)"] = Array(outcome.logits.slot(slot)) }
            for (name, values) in outcome.statistics { found["statistic/\(name)"] = values }
            for (name, values) in outcome.gradients { found["gradient/\(name)"] = values }
            if let expected = fixture.expected.loss { #expect(abs(outcome.loss.loss - expected) < 1e-10) }
        }
        let file = try FixtureFile.shared.get()
        for (key, array) in fixture.arrays {
            let values = try #require(found[key], "\(key)")
            #expect(values.count == array.total, "\(key)")
            let sampled = stride(from: 0, to: values.count, by: array.stride).map { Float(values[$0]) }
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
            for name in run.parameterNames {
                guard let slope = try run.slope(along: name, by: 1e-5),
                    let closer = try run.slope(along: name, by: 5e-6)
                else { continue }
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
}

extension ReferenceLoss {
    fileprivate init(_ fixture: FixtureCase) throws {
        switch fixture.loss {
        case nil:
            let weights = try #require(GeneralisedDiceLoss.Weights(rawValue: fixture.weights))
            self = .generalisedDice(weights, .niftynet)
        case "wce": self = .crossEntropy
        case "dl2": self = .dice
        case "ss": self = .sensitivitySpecificity(lambda: 0.05)
        case .some(let name): throw FixtureError(fixture: fixture.name, unknown: name)
        }
    }
}
