import Geometry
import Losses

@testable import Engine

/// A way to run a plan.
struct GraphSetup: Hashable, CustomStringConvertible {
    var algorithms: AlgorithmChoice
    var instructionSet: InstructionSet
    var threads: Int
    var gradientsBySlot = false
    var microBatches = 1
    /// Whether memory is NaN until it is written, and guarded.
    var checksMemory = false

    /// Relative to the largest value of a tensor. Float32 has 6e-8, a sum of some hundred products some times that, and a
    /// graph a dozen operations: the direct sum stays below 1e-5. Winograd's transforms multiply by up to 8 and subtract.
    var tolerance: Double { algorithms.rule == .direct && algorithms.named.isEmpty ? 2e-5 : 1e-4 }

    var description: String {
        let named = algorithms.named.sorted { $0.key < $1.key }.map { ", \($0.key): \($0.value)" }.joined()
        return
            "\(algorithms.rule)\(named), \(instructionSet), \(threads) threads"
            + (gradientsBySlot ? ", gradients by slot" : "")
            + (microBatches > 1 ? ", \(microBatches) micro-batches" : "")
            + (checksMemory ? ", memory checked" : "")
    }
}

extension GraphCase {
    /// Every algorithm on every instruction set of this machine, and a mixture; threads and the rest are drawn.
    var setups: [GraphSetup] {
        var draws = FixtureDraws("\(seed)/setups")
        return InstructionSet.available.flatMap { set -> [GraphSetup] in
            let mixed = operations.indices.map {
                ("o\($0 + 1)", draws.one(of: [ConvolutionAlgorithm.direct, .auto]))
            }
            let choices = [
                AlgorithmChoice(.direct), AlgorithmChoice(.winograd),
                AlgorithmChoice(.auto, named: Dictionary(uniqueKeysWithValues: mixed)),
            ]
            return choices.map { choice in
                var setup = GraphSetup(
                    algorithms: choice, instructionSet: set, threads: draws.integer(1...2))
                setup.gradientsBySlot = draws.chance(25)
                setup.checksMemory = draws.chance(50)
                // Statistics of a micro-batch are not those of the batch.
                let parts = (1...slots).filter { slots % $0 == 0 }
                if !hasBatchNorm, draws.chance(25) { setup.microBatches = draws.one(of: parts) }
                return setup
            }
        }
    }
}

/// A tensor that both implementations have computed.
struct NamedTensor {
    var name: String
    var values: [Double]
}

/// How far a tensor is off.
struct Mismatch: CustomStringConvertible {
    var name: String
    var difference, largest, tolerance: Double

    var description: String {
        "\(name) differs by \(difference), tolerance \(tolerance), where the largest value is \(largest)"
    }
}

/// The inputs of a case and what the reference makes of them.
final class ReferenceRun {
    /// The reference's noise in each convolution, above Winograd's rounding.
    private static let noise = 1e-6
    private static let seedOfDropout = UInt64(11), stepOfDropout = 3

    let graphCase: GraphCase
    let graph: Graph
    let outputSize: Size3
    private let classes: Int
    private let input: ReferenceTensor
    private let images: [[Float]]
    private let labels: [[UInt8]]
    private let soft: [[Float]]
    private let device: ReferenceDevice
    let trained, inferred: [NamedTensor]
    /// By name, the largest difference that noise has made so far.
    private var responses: [Bool: [String: Double]] = [:]
    private var perturbed = 0

    /// - Throws: An `EngineError` where the engine refuses the graph.
    init(_ graphCase: GraphCase) throws {
        self.graphCase = graphCase
        graph = graphCase.graph()
        guard let shape = graphCase.shapes?.last else { preconditionFailure("not a graph: \(graphCase)") }
        (outputSize, classes) = (shape.size, shape.channels)
        let model = Self.model(graphCase, graph)
        var device = ReferenceDevice(graph, inputSize: graphCase.inputSize, model: model)
        device.noise = (Self.seedOfDropout, Self.stepOfDropout, Array(0..<graphCase.slots))
        self.device = device
        var draws = FixtureDraws("\(graphCase.seed)/data")
        let (slots, channels) = (graphCase.slots, graphCase.inputChannels)
        let images = (0..<slots).map { _ in
            (0..<channels * graphCase.inputSize.count).map { _ in Float(2 * draws.signed()) }
        }
        var input = ReferenceTensor(slots: slots, channels: channels, size: graphCase.inputSize)
        input.values = images.flatMap { $0.map(Double.init) }
        let (classes, voxels) = (classes, outputSize.count)
        // Mostly background; in every other slot classes are absent.
        let labels = (0..<slots).map { slot in
            (0..<voxels).map { _ -> UInt8 in
                draws.chance(slot % 2 == 0 ? 60 : 95) ? 0 : UInt8(draws.integer(0...classes - 1))
            }
        }
        let soft = labels.map { labels -> [Float] in
            var soft = [Float](repeating: 0, count: classes * voxels)
            for (v, label) in labels.enumerated() {
                let share = Float(draws.integer(0...4)) / 8
                soft[Int(label) * voxels + v] += 1 - share
                soft[draws.integer(0...classes - 1) * voxels + v] += share
            }
            return soft
        }
        (self.images, self.input, self.labels, self.soft) = (images, input, labels, soft)
        let run = Self.run(
            device, graphCase, input, Self.references(graphCase, labels, soft, classes), labels)
        trained = try run()
        inferred = [NamedTensor(name: "inference logits", values: try device.infer(input).values)]
    }

    /// Parameters away from their initial values, a function of seed and name.
    private static func model(_ graphCase: GraphCase, _ graph: Graph) -> Parameters {
        let model = Parameters(graph: graph)
        for arena in [model.parameters, model.statistics] {
            for entry in arena.entries {
                var draws = FixtureDraws("\(graphCase.seed)/\(entry.name)")
                arena[entry.name] = entry.range.map { _ in
                    let u = draws.signed()
                    switch entry.role {
                    case .weight:
                        return Float(u * (6 / Double(entry.shape.dropFirst().reduce(1, *))).squareRoot())
                    case .transposedWeight: return Float(u * (6 / Double(entry.shape[0])).squareRoot())
                    case .scale: return Float((draws.chance(20) ? -1 : 1) * (1 + 0.5 * u))
                    case .runningVariance: return Float(1 + 0.5 * u)
                    case .slope: return Float(0.2 + 0.4 * u)
                    case .bias, .shift, .runningMean: return Float(0.5 * u)
                    }
                }
            }
        }
        return model
    }

    private static func references(
        _ graphCase: GraphCase, _ labels: [[UInt8]], _ soft: [[Float]], _ classes: Int
    ) -> [[[Double]]] {
        labels.indices.map { slot in
            let voxels = labels[slot].count
            return (0..<classes).map { l in
                (0..<voxels).map {
                    graphCase.isSoft ? Double(soft[slot][l * voxels + $0]) : labels[slot][$0] == l ? 1 : 0
                }
            }
        }
    }

    private static func run(
        _ device: ReferenceDevice, _ graphCase: GraphCase, _ input: ReferenceTensor,
        _ references: [[[Double]]], _ labels: [[UInt8]]
    ) -> () throws -> [NamedTensor] {
        {
            let outcome = try device.train(input) {
                ReferenceBatchLoss(
                    graphCase.loss, graphCase.pooling, logits: $0, references: references, labels: labels)
            }
            return [
                NamedTensor(name: "logits", values: outcome.logits.values),
                NamedTensor(name: "loss", values: [outcome.loss.loss]),
                NamedTensor(name: "losses of slots", values: outcome.loss.slotLosses),
                NamedTensor(name: "dice", values: [outcome.loss.dice]),
            ] + named("statistic", outcome.statistics) + named("gradient", outcome.gradients)
        }
    }

    private static func named(_ kind: String, _ values: [String: [Double]]) -> [NamedTensor] {
        values.sorted { $0.key < $1.key }.map { NamedTensor(name: "\(kind) \($0.key)", values: $0.value) }
    }

    // MARK: The reference's own loss

    var parameterNames: [String] { device.parameters.keys.sorted() }

    /// How fast the loss grows along the gradient of a parameter: by central differences, and as the gradient's norm says;
    /// nil where there is next to no gradient. Weights of WCE are constants of its gradient, so that its loss is left out.
    func slope(along name: String, by way: Double) throws -> (found: Double, expected: Double)? {
        guard !graphCase.loss.hasWeightsOfPrediction,
            let gradient = trained.first(where: { $0.name == "gradient \(name)" })?.values
        else { return nil }
        let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard norm > 1e-3 else { return nil }
        let references = Self.references(graphCase, labels, soft, classes)
        func loss(_ direction: Double) throws -> Double {
            var device = device
            device.parameters[name] = zip(device.parameters[name] ?? [], gradient).map {
                $0 + direction * way * $1 / norm
            }
            return try device.train(input) {
                ReferenceBatchLoss(
                    graphCase.loss, graphCase.pooling, logits: $0, references: references, labels: labels)
            }.loss.loss
        }
        return (try (loss(1) - loss(-1)) / (2 * way), norm)
    }

    // MARK: The engine

    /// What a plan computes. Its memory has been through a step on an image of NaN before: nothing that is left of one may
    /// reach the next.
    func train(_ setup: GraphSetup) throws -> [NamedTensor] {
        let model = Self.model(graphCase, graph)
        let slots = graphCase.slots
        let plan = try Plan(
            training: graph, inputSize: graphCase.inputSize,
            options: Plan.Options(
                slots: slots / setup.microBatches, threads: setup.threads, algorithms: setup.algorithms,
                gradientsBySlot: setup.gradientsBySlot, microBatches: setup.microBatches,
                checksMemory: setup.checksMemory),
            loss: graphCase.loss.engineLoss(graphCase.pooling), model: model,
            instructionSet: setup.instructionSet)
        let statistics = model.statistics.values
        var images = images.map { $0.map { _ in Float.nan } }
        let step = MicroBatches(of: plan, seed: Self.seedOfDropout, step: Self.stepOfDropout) {
            [self] index in
            for slot in 0..<plan.options.slots {
                load(plan, slot, drawn: slot * setup.microBatches + index, images)
            }
        }
        try step.forward()
        _ = try step.loss()
        try step.backward()
        images = self.images
        model.statistics.withUnsafeMutableBuffer { _ = $0.update(from: statistics) }
        try step.forward()
        var found: [NamedTensor] = []
        if setup.microBatches == 1 {
            found.append(
                NamedTensor(
                    name: "logits", values: (0..<slots).flatMap { plan.logits(slot: $0).map(Double.init) }))
        }
        let report = try step.loss()
        found.append(NamedTensor(name: "loss", values: [report.loss]))
        found.append(NamedTensor(name: "losses of slots", values: report.slotLosses))
        found.append(NamedTensor(name: "dice", values: [report.dice]))
        try step.backward()
        for (kind, arena) in [("statistic", model.statistics), ("gradient", model.gradients)] {
            found += arena.entries.map {
                NamedTensor(name: "\(kind) \($0.name)", values: arena[$0.name].map(Double.init))
            }
        }
        return found
    }

    private func load(_ plan: Plan, _ slot: Int, drawn: Int, _ images: [[Float]]) {
        plan.withInput(slot: slot) { _ = $0.update(from: images[drawn]) }
        plan.withReference(slot: slot) { _ = $0.update(from: labels[drawn]) }
        if graphCase.isSoft { plan.withSoftReference(slot: slot) { _ = $0.update(from: soft[drawn]) } }
    }

    /// Logits of a plan that infers, on memory that has held NaN.
    func infer(_ setup: GraphSetup) throws -> [NamedTensor] {
        let slots = graphCase.slots
        let plan = try Plan(
            inference: graph, inputSize: graphCase.inputSize, slots: slots, threads: setup.threads,
            sharing: Self.model(graphCase, graph), algorithms: setup.algorithms,
            instructionSet: setup.instructionSet, checksMemory: setup.checksMemory)
        for slot in 0..<slots { plan.withInput(slot: slot) { $0.update(repeating: .nan) } }
        try plan.forward()
        for slot in 0..<slots { plan.withInput(slot: slot) { _ = $0.update(from: images[slot]) } }
        try plan.forward()
        return [
            NamedTensor(
                name: "inference logits",
                values: (0..<slots).flatMap { plan.logits(slot: $0).map(Double.init) })
        ]
    }

    // MARK: Comparison

    /// What is off by more than the setup's tolerance, and by more than noise explains.
    func mismatches(_ found: [NamedTensor], training: Bool, _ setup: GraphSetup) throws -> [Mismatch] {
        let expected = Dictionary(
            uniqueKeysWithValues: (training ? trained : inferred).map { ($0.name, $0.values) })
        func wrong() -> [Mismatch] {
            found.compactMap { tensor in
                guard let values = expected[tensor.name], values.count == tensor.values.count else {
                    return Mismatch(name: tensor.name, difference: .infinity, largest: 0, tolerance: 0)
                }
                let largest = values.reduce(0) { max($0, abs($1)) }
                let difference = Self.difference(tensor.values, values)
                // Noise is ten times as large as a rounding of Winograd's.
                let tolerance = max(
                    setup.tolerance * largest, 10 * (responses[training]?[tensor.name] ?? 0))
                return difference <= tolerance
                    ? nil
                    : Mismatch(
                        name: tensor.name, difference: difference, largest: largest, tolerance: tolerance)
            }
        }
        // Noise is asked only where it matters, each time with another draw.
        for _ in 0..<8 where !wrong().isEmpty { try perturb(training: training, expected) }
        return wrong()
    }

    /// Runs the reference with noise and keeps what it changes.
    private func perturb(training: Bool, _ expected: [String: [Double]]) throws {
        perturbed += 1
        var device = device
        device.perturbation = Perturbation(
            share: Self.noise, draws: FixtureDraws("\(graphCase.seed)/noise/\(perturbed)"))
        let references = Self.references(graphCase, labels, soft, classes)
        let noisy =
            training
            ? try Self.run(device, graphCase, input, references, labels)()
            : [NamedTensor(name: "inference logits", values: try device.infer(input).values)]
        for tensor in noisy {
            let change = Self.difference(tensor.values, expected[tensor.name] ?? [])
            responses[training, default: [:]][tensor.name, default: 0] = max(
                change, responses[training]?[tensor.name] ?? 0)
        }
    }

    /// The largest difference of two elements; infinite where one is no number.
    private static func difference(_ x: [Double], _ y: [Double]) -> Double {
        zip(x, y).reduce(0) {
            let difference = abs($1.0 - $1.1)
            return difference.isFinite ? max($0, difference) : .infinity
        }
    }
}
