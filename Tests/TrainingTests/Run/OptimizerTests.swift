import CPU
import Engine
import Geometry
import RunFiles
import Testing

@testable import Configuration
@testable import Training

/// Values of PyTorch 2.15 (float32, CPU): three steps on five parameters.
@Suite struct OptimizerTests {
    static let initial: [Float] = [0.5, -1.25, 2, 1e-3, -3]
    static let gradients: [[Float]] = [
        [0.1, -0.2, 3, 1e-6, 0], [0.05, 0.4, -1.5, 2e-6, 1e-9], [-0.3, 0.1, 0.25, -5e-6, 2],
    ]

    /// A network of one layer of `count` biases and weights.
    static func model(count: Int) -> Parameters {
        var graph = Graph(inputChannels: 1)
        let logits = graph.convolution(graph.input, name: "head", channels: count, kernel: Size3(cube: 1))
        graph.setOutput(logits)
        return Parameters(graph: graph)
    }

    static func device(_ set: InstructionSet = .portable, threads: Int = 1) throws -> CPUDevice {
        try CPUDevice(threads: threads, instructionSet: set)
    }

    static func run(_ optimizer: any Engine.Optimizer) -> [Float] {
        let model = model(count: 5)
        model.parameters.setValues(initial)
        for (index, gradient) in gradients.enumerated() {
            model.gradients.setValues(gradient)
            optimizer.update(model.parameters, gradients: model.gradients, step: index + 1)
        }
        return model.parameters.values
    }

    /// A few roundings of float32 apart: PyTorch fuses multiplications and additions elsewhere.
    static func expectClose(
        _ values: [Float], _ expected: [Double], relative: Double = 3e-7,
        location: SourceLocation = #_sourceLocation
    ) {
        #expect(values.count == expected.count, sourceLocation: location)
        for (value, reference) in zip(values, expected) {
            #expect(
                abs(Double(value) - reference) <= relative * abs(reference) + 1e-12,
                "\(value) and \(reference)",
                sourceLocation: location)
        }
    }

    @Test func adamFollowsPyTorch() throws {
        let adam = try Adam(for: Self.model(count: 5).parameters, learningRate: 1e-2, on: Self.device())
        let values = Self.run(adam)
        Self.expectClose(
            values,
            [
                0.4841504395008087, -1.2478175163269043, 1.984808325767517, -0.01571318507194519,
                -3.0068798065185547,
            ])
        Self.expectClose(
            adam[state: "adam.m"],
            [-0.017400000244379044, 0.02980000153183937, 0.13300001621246338, -2.390000020113803e-07, 0.2])
        Self.expectClose(
            adam[state: "adam.v"],
            [
                0.00010247751924907789, 0.00020976005180273205, 0.011292258277535439, 2.999400248028354e-14,
                0.004000000189989805,
            ])
    }

    @Test func adamWithDecayFollowsPyTorch() throws {
        let adam = try Adam(
            for: Self.model(count: 5).parameters, learningRate: 1e-2, beta1: 0.8, beta2: 0.99, epsilon: 1e-6,
            weightDecay: 0.1,
            on: Self.device())
        Self.expectClose(
            Self.run(adam),
            [
                0.4837103486061096, -1.2450060844421387, 1.9798614978790283, -0.007298700977116823,
                -2.998077630996704,
            ])
    }

    @Test func momentumFollowsPyTorch() throws {
        let sgd = try StochasticGradientDescent(
            for: Self.model(count: 5).parameters, learningRate: 1e-2, momentum: 0.9, on: Self.device())
        Self.expectClose(
            Self.run(sgd),
            [
                0.4993400275707245, -1.2531800270080566, 1.9447001218795776, 0.0009999849135056138,
                -3.0199999809265137,
            ])
        Self.expectClose(
            sgd[state: "sgd.momentum"],
            [-0.17400000989437103, 0.2980000078678131, 1.3299998044967651, -2.389999963270384e-06, 2.0])
    }

    @Test func bitsDependNeitherOnThreadsNorOnTheInstructionSet() throws {
        func result(_ device: CPUDevice, _ settings: RunConfiguration.Optimizer) -> [Float] {
            let model = Self.model(count: 1003)
            model.initialise(seed: 3)
            let optimizer = settings.make(for: model.parameters, on: device)
            for step in 1...3 {
                model.gradients.setValues((0..<1003).map { Float(($0 * 37 * step) % 101) / 97 - 0.5 })
                optimizer.update(model.parameters, gradients: model.gradients, step: step)
            }
            return model.parameters.values + optimizer.stateNames.flatMap { optimizer[state: $0] }
        }
        for name in RunConfiguration.Optimizer.Name.allCases {
            var settings = RunConfiguration.Optimizer()
            settings.name = name
            settings.weightDecay = 0.01
            let expected = try result(Self.device(), settings)
            for set in InstructionSet.available {
                for threads in [1, 2, 3] {
                    #expect(
                        try result(Self.device(set, threads: threads), settings) == expected,
                        "\(set), \(threads)")
                }
            }
        }
    }

    @Test func stateGoesThroughACheckpoint() throws {
        let model = Self.model(count: 5)
        let adam = try Adam(for: Self.model(count: 5).parameters, learningRate: 1e-2, on: Self.device())
        _ = Self.run(adam)
        let slices = model.parameters.slices
        #expect(slices == [NamedSlice(name: "head.weight", shape: [5, 1, 1, 1, 1], range: 0..<5)])
        let checkpoint = Checkpoint(
            step: 3, network: "x", configurationText: "", ranks: 1, threads: 1, tensors: adam.tensors(slices))
        #expect(checkpoint.tensors.map(\.name) == ["adam.m/head.weight", "adam.v/head.weight"])
        let other = try Adam(for: Self.model(count: 5).parameters, learningRate: 1e-2, on: Self.device())
        try other.restore(checkpoint, slices: slices, path: "c")
        for name in adam.stateNames { #expect(other[state: name] == adam[state: name]) }
        let sgd = try StochasticGradientDescent(
            for: Self.model(count: 5).parameters, learningRate: 1, momentum: 0, on: Self.device())
        #expect(throws: CheckpointError.self) { try sgd.restore(checkpoint, slices: slices, path: "c") }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func oneValueThatIsNotFiniteIsFound(value: Float) throws {
        let model = Self.model(count: 1003)
        for set in InstructionSet.available {
            let device = try Self.device(set, threads: 2)
            for index in [0, 500, 1002] {
                var values = Array(repeating: -Float.greatestFiniteMagnitude, count: 1003)
                model.gradients.setValues(values)
                #expect(device.isFinite(model.gradients))
                values[index] = value
                model.gradients.setValues(values)
                #expect(!device.isFinite(model.gradients))
            }
        }
    }
}
