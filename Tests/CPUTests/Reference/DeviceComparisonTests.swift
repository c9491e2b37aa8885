import Geometry
import Losses
import Testing

@testable import CPU
@testable import Engine

/// Processors and the reference behind the same seam: steps that change parameters, and the flat passes.
@Suite(.serialized) struct DeviceComparisonTests {
    static let processors: [GraphSetup] = InstructionSet.available.flatMap { set in
        [ConvolutionAlgorithm.direct, .winograd].map {
            GraphSetup(algorithms: AlgorithmChoice($0), instructionSet: set, threads: 2)
        }
    }

    // MARK: Steps

    enum Rule: CaseIterable {
        case adam, descent

        func optimizer(_ parameters: ParameterArena, _ device: any Device) -> any Engine.Optimizer {
            switch self {
            // Epsilon is of the size of the gradients: without it Adam makes whole steps of their rounding.
            case .adam:
                Adam(
                    for: parameters, learningRate: 1e-2, epsilon: 1e-3, weightDecay: 0.1, on: device)
            case .descent:
                StochasticGradientDescent(
                    for: parameters, learningRate: 0.5, momentum: 0.9, on: device)
            }
        }
    }

    /// What some steps make of ``SmallNetwork``.
    private struct Outcome {
        let initial: [Float]
        let model: Parameters
        let optimizer: any Engine.Optimizer
        var losses: [Double] = []
        var norms: [Double] = []

        /// Steps of two micro-batches of two slots, whose gradients are clipped at half their norm.
        init(_ rule: Rule, on device: any Device, algorithms: AlgorithmChoice, pooling: Pooling) throws {
            model = SmallNetwork.model()
            initial = model.parameters.values
            optimizer = rule.optimizer(model.parameters, device)
            let network = try device.compile(
                training: SmallNetwork.graph(), inputSize: SmallNetwork.size,
                options: StepOptions(slots: 2, microBatches: 2), algorithms: algorithms,
                loss: GeneralisedDiceLoss(pooling: pooling), exchange: SoloExchange(), model: model)
            for step in 1...5 {
                let batches = MicroBatches(of: network, seed: 6, step: step) { index in
                    for slot in 0..<2 {
                        SmallNetwork.fill(
                            network, slot: slot,
                            drawn: 4 * step + network.options.stepSlot(slot, microBatch: index))
                    }
                }
                try batches.forward()
                losses.append(try batches.loss().loss)
                try batches.backward()
                #expect(device.isFinite(model.gradients))
                norms.append(device.norm(model.gradients))
                device.scale(model.gradients, by: 0.5)
                optimizer.update(model.parameters, gradients: model.gradients, step: step)
            }
        }
    }

    /// Errors are relative to how far the steps have moved the parameters.
    @Test(arguments: Rule.allCases, Pooling.allCases)
    func stepsMoveParametersAlike(rule: Rule, pooling: Pooling) throws {
        let expected = try Outcome(
            rule, on: ReferenceDevice(), algorithms: AlgorithmChoice(), pooling: pooling)
        let way = relativeError(expected.model.parameters.values, expected.initial)
        #expect(way > 0.01)
        for setup in Self.processors {
            let found = try Outcome(
                rule, on: setup.device(), algorithms: setup.algorithms, pooling: pooling)
            let error = relativeError(found.model.parameters.values, expected.model.parameters.values)
            #expect(error < 1e-4 * way, "\(setup): \(error / way) of the way")
            let statistics = relativeError(
                found.model.statistics.values, expected.model.statistics.values)
            #expect(statistics < 1e-5, "\(setup): \(statistics)")
            for name in expected.optimizer.stateNames {
                let error = relativeError(
                    found.optimizer[state: name], expected.optimizer[state: name])
                #expect(error < 1e-4, "\(setup): \(name), \(error)")
            }
            for (a, b) in zip(found.losses + found.norms, expected.losses + expected.norms) {
                #expect(abs(a - b) < 1e-4 * abs(b), "\(setup): \(a), not \(b)")
            }
        }
    }

    // MARK: Flat passes

    private static let count = 1003

    /// Values of all sizes; no number of a thread's or a vector's parts divides their count.
    private static func arena(_ name: String) -> ParameterArena {
        let arena = ParameterArena([(name: "values", shape: [count], role: .weight)])
        var draws = FixtureDraws("flat passes/\(name)")
        arena.setValues(
            (0..<count).map { _ in
                let size = Float(sign: .plus, exponent: draws.integer(-20...10), significand: 1)
                return Float(draws.signed()) * size
            })
        return arena
    }

    /// An update of three steps: parameters, then the state.
    private static func updated(
        _ rules: [UpdateRule], arrays: Int, on device: any Device
    ) -> [[Float]] {
        let parameters = arena("parameters")
        let state = (0..<arrays).map { _ in ParameterArena(like: parameters) }
        for (index, rule) in rules.enumerated() {
            device.update(parameters, gradients: arena("gradients \(index)"), state: state, by: rule)
        }
        return [parameters.values] + state.map(\.values)
    }

    @Test func updatesAreThoseOfTheirDefinitions() throws {
        let adam = (1...3).map { step in
            UpdateRule.adam(
                AdamNumbers(
                    gain: 0.1, beta2: 0.99, squareGain: 0.01, rate: 0.02 / Float(step),
                    correction: 0.1 * Float(step), epsilon: 1e-6, decay: 0.999))
        }
        let momentum = (1...3).map { UpdateRule.momentum(rate: 0.01 * Float($0), momentum: 0.9) }
        for (rules, arrays) in [(adam, 2), (momentum, 1)] {
            let expected = Self.updated(rules, arrays: arrays, on: ReferenceDevice())
            #expect(relativeError(expected[0], Self.arena("parameters").values) > 1e-3)
            for setup in Self.processors {
                let found = try Self.updated(rules, arrays: arrays, on: setup.device())
                // Elements cancel: their errors are some roundings of their largest term.
                for (a, b) in zip(found, expected) {
                    let error = relativeError(a, b)
                    #expect(error < 2e-7, "\(setup), \(rules[0]): \(error)")
                }
            }
        }
    }

    @Test func scalingRoundsOnce() throws {
        func scaled(_ device: any Device) -> [Float] {
            let arena = Self.arena("scaled")
            device.scale(arena, by: 0.3)
            return arena.values
        }
        let expected = scaled(ReferenceDevice())
        #expect(expected != Self.arena("scaled").values)
        for setup in Self.processors { #expect(try scaled(setup.device()) == expected, "\(setup)") }
    }

    /// Sums of squares in double, in another order.
    @Test func normsAreSummedInDouble() throws {
        let arena = Self.arena("norm")
        let expected = ReferenceDevice().norm(arena)
        #expect(expected > 1)
        for setup in Self.processors {
            let found = try setup.device().norm(arena)
            #expect(abs(found - expected) < 1e-14 * expected, "\(setup): \(found), not \(expected)")
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.greatestFiniteMagnitude])
    func finiteIsTheSameEverywhere(value: Float) throws {
        for index in [0, 511, Self.count - 1] {
            let arena = Self.arena("finite")
            arena.withUnsafeMutableBuffer { $0[index] = value }
            let expected = ReferenceDevice().isFinite(arena)
            #expect(expected == value.isFinite)
            for setup in Self.processors {
                #expect(try setup.device().isFinite(arena) == expected, "\(setup), \(index)")
            }
        }
    }
}
