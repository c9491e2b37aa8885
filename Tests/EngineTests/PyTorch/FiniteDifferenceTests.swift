import Engine
import Losses
import Testing

/// Gradients against differences of the plan's own loss.
@Suite(.serialized) struct FiniteDifferenceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let weights: GeneralisedDiceLoss.Weights
        let pooling: Pooling
        var testDescription: String { "\(weights) \(pooling)" }
        static let all = GeneralisedDiceLoss.Weights.allCases.flatMap { weights in
            Pooling.allCases.map { Case(weights: weights, pooling: $0) }
        }
    }

    /// Each tensor moved along its own gradient by 0.02 % of its norm, both ways: the loss must change by the
    /// gradient's norm times the way. 1 %: kinks and third derivatives cost 0.1 %; 2e-8 is the rounding of a loss
    /// whose logits are float32.
    @Test(arguments: Case.all)
    func lossMovesByTheGradient(case: Case) throws {
        let loss = GeneralisedDiceLoss(weights: `case`.weights, pooling: `case`.pooling)
        let model = SmallNetwork.model()
        let plan = try SmallNetwork.plan(loss: loss, model: model)
        try SmallNetwork.step(plan)
        for entry in model.parameters.entries {
            let start = model.parameters[entry.name]
            let gradient = model.gradients[entry.name]
            let slope = norm(gradient)
            let way = 2e-4 * max(norm(start), 0.1)
            func loss(_ direction: Double) throws -> Double {
                model.parameters[entry.name] = zip(start, gradient).map {
                    Float(Double($0) + direction * way * Double($1) / slope)
                }
                try plan.forward()
                return try plan.loss().loss
            }
            let change = try loss(1) - loss(-1)
            model.parameters[entry.name] = start
            let expected = 2 * way * slope
            #expect(
                abs(change - expected) < 0.01 * expected + 2e-8, "\(entry.name): \(change), not \(expected)")
            #expect(expected > 2e-7, "\(entry.name) has next to no gradient")
        }
    }

    private func norm(_ values: [Float]) -> Double {
        values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
}
