import CPU
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

    @Test(arguments: Case.all)
    func lossMovesByTheGradient(case: Case) throws {
        let loss = GeneralisedDiceLoss(weights: `case`.weights, pooling: `case`.pooling)
        let model = SmallNetwork.model()
        let plan = try SmallNetwork.plan(loss: loss, model: model)
        try SmallNetwork.step(plan)
        try expectLoss(of: plan, followsGradientWithin: 0.01, least: 2e-7)
    }
}
