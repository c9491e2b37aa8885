import Geometry

@testable import Engine

/// A tensor that devices have computed.
struct NamedTensor {
    var name: String
    var values: [Double]
}

/// A graph with drawn parameters, images and references, and a step on it that any device runs.
struct GraphInputs {
    private static let seedOfDropout = UInt64(11), stepOfDropout = 3

    let graphCase: GraphCase
    let graph: Graph
    private let images: [[Float]]
    private let labels: [[UInt8]]
    private let soft: [[Float]]

    init(_ graphCase: GraphCase) {
        self.graphCase = graphCase
        graph = graphCase.graph()
        guard let shape = graphCase.shapes?.last else { preconditionFailure("not a graph: \(graphCase)") }
        var draws = FixtureDraws("\(graphCase.seed)/data")
        let (slots, channels) = (graphCase.slots, graphCase.inputChannels)
        images = (0..<slots).map { _ in
            (0..<channels * graphCase.inputSize.count).map { _ in Float(2 * draws.signed()) }
        }
        let (classes, voxels) = (shape.channels, shape.size.count)
        // Mostly background; in every other slot classes are absent.
        labels = (0..<slots).map { slot in
            (0..<voxels).map { _ -> UInt8 in
                draws.chance(slot % 2 == 0 ? 60 : 95) ? 0 : UInt8(draws.integer(0...classes - 1))
            }
        }
        soft = labels.map { labels -> [Float] in
            var soft = [Float](repeating: 0, count: classes * voxels)
            for (v, label) in labels.enumerated() {
                let share = Float(draws.integer(0...4)) / 8
                soft[Int(label) * voxels + v] += 1 - share
                soft[draws.integer(0...classes - 1) * voxels + v] += share
            }
            return soft
        }
    }

    /// Parameters away from their initial values, a function of seed and name.
    func model() -> Parameters {
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

    // MARK: A step

    /// How a step is run.
    struct Way {
        var algorithms = AlgorithmChoice()
        var gradientsBySlot = false
        var microBatches = 1
        /// Whether the network's memory has been through a step on an image of NaN before: nothing that is
        /// left of one may reach the next.
        var isAfterNaN = false
    }

    /// What a network that trains computes.
    func train(on device: any Device, _ way: Way = Way()) throws -> [NamedTensor] {
        let model = model()
        let network = try device.compile(
            training: graph, inputSize: graphCase.inputSize,
            options: StepOptions(
                slots: graphCase.slots / way.microBatches, microBatches: way.microBatches,
                gradientsBySlot: way.gradientsBySlot),
            algorithms: way.algorithms, loss: graphCase.loss.engineLoss(graphCase.pooling),
            exchange: SoloExchange(), model: model)
        if way.isAfterNaN {
            let statistics = model.statistics.values
            let step = step(network, images: images.map { $0.map { _ in .nan } })
            try step.forward()
            _ = try step.loss()
            try step.backward()
            model.statistics.setValues(statistics)
        }
        let step = step(network, images: images)
        try step.forward()
        var found: [NamedTensor] = []
        if way.microBatches == 1 { found.append(logits(network, "logits")) }
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

    private func step(_ network: any TrainableNetwork, images: [[Float]]) -> MicroBatches {
        MicroBatches(of: network, seed: Self.seedOfDropout, step: Self.stepOfDropout) { index in
            for slot in 0..<network.options.slots {
                let drawn = network.options.stepSlot(slot, microBatch: index)
                network.withInput(slot: slot) { _ = $0.update(from: images[drawn]) }
                network.withReference(slot: slot) { _ = $0.update(from: labels[drawn]) }
                guard graphCase.isSoft else { continue }
                network.withSoftReference(slot: slot) { _ = $0.update(from: soft[drawn]) }
            }
        }
    }

    private func logits(_ network: any CompiledNetwork, _ name: String) -> NamedTensor {
        NamedTensor(
            name: name,
            values: (0..<network.options.slots).flatMap { network.logits(slot: $0).map(Double.init) })
    }

    /// Logits of a network that infers.
    func infer(on device: any Device, _ way: Way = Way()) throws -> [NamedTensor] {
        let network = try device.compile(
            inference: graph, inputSize: graphCase.inputSize, slots: graphCase.slots,
            algorithms: way.algorithms, sharing: model())
        if way.isAfterNaN {
            for slot in images.indices { network.withInput(slot: slot) { $0.update(repeating: .nan) } }
            try network.forward()
        }
        for (slot, image) in images.enumerated() {
            network.withInput(slot: slot) { _ = $0.update(from: image) }
        }
        try network.forward()
        return [logits(network, "inference logits")]
    }

    // MARK: The loss as a function of the parameters

    /// How fast the reference's loss grows along the gradient of a parameter: by central differences in
    /// double, and as the gradient's norm says; nil where there is next to no gradient. Weights of WCE are
    /// constants of its gradient, so that its loss is left out.
    func slope(
        along name: String, gradient: [Double], by way: Double
    ) throws -> (found: Double, expected: Double)? {
        guard !graphCase.loss.hasWeightsOfPrediction else { return nil }
        let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard norm > 1e-3 else { return nil }
        var input = ReferenceTensor(
            slots: graphCase.slots, channels: graphCase.inputChannels, size: graphCase.inputSize)
        input.values = images.flatMap { $0.map(Double.init) }
        func loss(_ direction: Double) throws -> Double {
            var pass = ReferencePass(graph, inputSize: graphCase.inputSize, model: model())
            pass.noise = (Self.seedOfDropout, Self.stepOfDropout, Array(0..<graphCase.slots))
            pass.parameters[name] = zip(pass.parameters[name] ?? [], gradient).map {
                $0 + direction * way * $1 / norm
            }
            var none = Perturbation()
            let logits = try pass.forward(input, training: true, &none).logits
            return ReferenceBatchLoss(
                graphCase.loss, graphCase.pooling, logits: logits,
                references: references(classes: logits.channels), labels: labels
            ).report.loss
        }
        return (try (loss(1) - loss(-1)) / (2 * way), norm)
    }

    /// [slot][class][voxel]
    private func references(classes: Int) -> [[[Double]]] {
        labels.indices.map { slot in
            let voxels = labels[slot].count
            return (0..<classes).map { l in
                (0..<voxels).map {
                    graphCase.isSoft ? Double(soft[slot][l * voxels + $0]) : labels[slot][$0] == l ? 1 : 0
                }
            }
        }
    }
}
