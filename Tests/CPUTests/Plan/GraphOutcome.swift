import Geometry
import Losses
import Testing

@testable import CPU
@testable import Engine

/// What a training step of a graph gives, whose memory is checked: two slots, drawn by slot, channel and
/// voxel; parameters drawn by name.
struct GraphOutcome {
    static let size = Size3(9, 8, 11)

    let model: Parameters
    let loss: Double
    /// Of all slots.
    let logits: [Float]
    let outputSize: Size3

    /// - Parameters:
    ///   - image: The value of a slot's voxel.
    init(
        _ graph: Graph, size: Size3 = size, model: Parameters? = nil, algorithm: ConvolutionAlgorithm,
        image: (_ slot: Int, _ channel: Int, _ z: Int, _ y: Int, _ x: Int) -> Float = Self.noise
    ) throws {
        self.model = model ?? SmallNetwork.model(graph)
        let plan = try Self.plan(graph, size: size, model: self.model, algorithm: algorithm, image: image)
        try plan.forward(seed: 1, step: 1)
        logits = (0..<plan.options.slots).flatMap { plan.logits(slot: $0) }
        loss = try plan.loss().loss
        try plan.backward()
        outputSize = plan.outputSize
    }

    static func noise(slot: Int, channel: Int, z: Int, y: Int, x: Int) -> Float {
        var draws = FixtureDraws("\(slot) \(channel) \(z) \(y) \(x)")
        return Float(draws.signed())
    }

    static func plan(
        _ graph: Graph, size: Size3 = size, model: Parameters, algorithm: ConvolutionAlgorithm,
        slots: Int = 2,
        image: (_ slot: Int, _ channel: Int, _ z: Int, _ y: Int, _ x: Int) -> Float = Self.noise
    ) throws -> Plan {
        let plan = try Plan(
            training: graph, inputSize: size,
            options: Plan.Options(
                slots: slots, algorithms: AlgorithmChoice(algorithm), checksMemory: true),
            loss: GeneralisedDiceLoss(), model: model)
        for slot in 0..<slots {
            plan.withReference(slot: slot) { labels in
                var draws = FixtureDraws("reference \(slot)")
                for index in labels.indices { labels[index] = UInt8(draws.word() % UInt64(plan.classes)) }
            }
            plan.withInput(slot: slot) { values in
                for index in values.indices {
                    let voxel = index % size.count
                    values[index] = image(
                        slot, index / size.count, voxel / size.width / size.height,
                        voxel / size.width % size.height, voxel % size.width)
                }
            }
        }
        return plan
    }

    /// Compares the gradient of each parameter with that of the same name.
    func expectGradients(
        of other: GraphOutcome, _ tolerance: Double, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for entry in other.model.gradients.entries {
            let error = relativeError(model.gradients[entry.name], other.model.gradients[entry.name])
            #expect(error < tolerance, "\(entry.name)", sourceLocation: sourceLocation)
        }
    }

    /// Compares the gradients of a graph with differences of its loss, to 2 %.
    static func expectLossFollowsGradient(
        _ graph: Graph, size: Size3 = size, _ algorithm: ConvolutionAlgorithm,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let model = SmallNetwork.model(graph)
        let plan = try plan(graph, size: size, model: model, algorithm: algorithm)
        try SmallNetwork.step(plan)
        try expectLoss(of: plan, followsGradientWithin: 0.02, sourceLocation: sourceLocation)
    }
}

/// Moves each parameter of a plan along its gradient by 0.02 % of its norm, both ways: the loss must change
/// by the gradient's norm times the way.
///
/// - Parameters:
///   - plan: After backward; its parameters are put back.
///   - share: By which the change may differ. Kinks of rectifiers and third derivatives cost some 0.1 %; 2e-8
///     beside it is the rounding of a loss of float32 logits.
///   - least: Of the changes; a smaller one says that a parameter has next to no gradient.
func expectLoss(
    of plan: Plan, followsGradientWithin share: Double, least: Double = 0,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let (parameters, gradients) = (plan.model.parameters, plan.model.gradients)
    for entry in parameters.entries {
        let (start, gradient) = (parameters[entry.name], gradients[entry.name])
        let slope = norm(gradient)
        let way = 2e-4 * max(norm(start), 0.1)
        func loss(_ direction: Double) throws -> Double {
            parameters[entry.name] = zip(start, gradient).map {
                Float(Double($0) + direction * way * Double($1) / slope)
            }
            try plan.forward()
            return try plan.loss().loss
        }
        let change = try loss(1) - loss(-1)
        parameters[entry.name] = start
        let expected = 2 * way * slope
        #expect(
            abs(change - expected) < share * expected + 2e-8, "\(entry.name): \(change), not \(expected)",
            sourceLocation: sourceLocation)
        #expect(expected >= least, "\(entry.name) has next to no gradient", sourceLocation: sourceLocation)
    }
}

private func norm(_ values: [Float]) -> Double {
    values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
}
