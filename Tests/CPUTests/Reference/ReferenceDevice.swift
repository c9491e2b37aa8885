import Geometry

@testable import Engine

/// A device to compare others with: every operation in double, as it is defined, by ``ReferencePass``.
///
/// It stores in float32 only what lies in arenas: running statistics, gradients, and what optimisers change.
struct ReferenceDevice: Device {
    /// Noise in what its networks compute.
    var perturbation = Perturbation()

    var name: String { "reference" }
    var libraries: [String: String] { [:] }

    func compile(
        training graph: Graph, inputSize: Size3, options: StepOptions, algorithms: AlgorithmChoice,
        loss: any SegmentationLoss, exchange: any SlotExchange, model: Parameters
    ) throws(EngineError) -> any TrainableNetwork {
        precondition(
            exchange is SoloExchange && options.globalSlots == options.slots,
            "\(options.slots) of \(options.globalSlots) slots: the reference runs on one rank")
        let reached = Set(graph.parameterNames(of: graph.reached))
        if let missing = model.gradients.entries.first(where: { !reached.contains($0.name) }) {
            throw .parameterNotReached(name: missing.name)
        }
        return try ReferenceNetwork(
            graph, inputSize: inputSize, options: options, algorithms: algorithms, loss: loss, model: model,
            perturbation: perturbation)
    }

    func compile(
        inference graph: Graph, inputSize: Size3, slots: Int, algorithms: AlgorithmChoice,
        sharing model: Parameters
    ) throws(EngineError) -> any CompiledNetwork {
        try ReferenceNetwork(
            graph, inputSize: inputSize, options: StepOptions(slots: slots), algorithms: algorithms,
            loss: nil, model: model, perturbation: perturbation)
    }

    /// There is one way to do everything.
    func timeAlgorithms(of graph: Graph, inputSize: Size3, slots: Int) -> [AlgorithmTiming] { [] }

    // MARK: Flat passes

    func isFinite(_ arena: ParameterArena) -> Bool { arena.values.allSatisfy(\.isFinite) }

    func norm(_ arena: ParameterArena) -> Double {
        arena.values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    func scale(_ arena: ParameterArena, by factor: Float) {
        arena.setValues(arena.values.map { Float(Double($0) * Double(factor)) })
    }

    func update(
        _ parameters: ParameterArena, gradients: ParameterArena, state: [ParameterArena],
        by rule: UpdateRule
    ) {
        for index in 0..<parameters.count {
            func value(_ arena: ParameterArena) -> Double { Double(arena.hostMemory[index]) }
            func set(_ arena: ParameterArena, _ value: Double) { arena.hostMemory[index] = Float(value) }
            let g = value(gradients)
            var p = value(parameters)
            switch rule {
            case .adam(let numbers):
                var (m, v) = (value(state[0]), value(state[1]))
                Self.adam(&p, g, &m, &v, numbers)
                set(state[0], m)
                set(state[1], v)
            case .momentum(let rate, let momentum):
                let u = Double(momentum) * value(state[0]) + g
                p -= Double(rate) * u
                set(state[0], u)
            }
            set(parameters, p)
        }
    }

    private static func adam(
        _ p: inout Double, _ g: Double, _ m: inout Double, _ v: inout Double, _ numbers: AdamNumbers
    ) {
        m += Double(numbers.gain) * (g - m)
        v = Double(numbers.beta2) * v + Double(numbers.squareGain) * g * g
        let deviation = v.squareRoot() / Double(numbers.correction) + Double(numbers.epsilon)
        p = Double(numbers.decay) * p - Double(numbers.rate) * m / deviation
    }
}

extension Graph {
    /// The parameters of the operations that give these values.
    fileprivate func parameterNames(of values: Set<Int>) -> [String] {
        values.flatMap { index -> [String] in
            switch nodes[index].operation {
            case .convolution(_, let convolution):
                ["\(convolution.name).weight", "\(convolution.name).bias"]
            case .normalisation(_, let normalisation):
                ["\(normalisation.name).weight", "\(normalisation.name).bias"]
            case .activation(_, .prelu(let name)): ["\(name).slope"]
            default: []
            }
        }
    }
}
