import Engine

/// Stochastic gradient descent with momentum, as PyTorch's `SGD` without dampening:
/// `u = momentum u + g`, `p = p - rate u`.
public final class StochasticGradientDescent: Optimizer {
    public let learningRate, momentum: Double
    private var velocity: [Float]
    private let options: PassOptions

    /// - Parameters:
    ///   - learningRate: above 0.
    ///   - momentum: 0 to below 1.
    public init(parameterCount: Int, learningRate: Double, momentum: Double, options: PassOptions) {
        self.learningRate = learningRate
        self.momentum = momentum
        self.options = options
        velocity = Array(repeating: 0, count: parameterCount)
    }

    public var stateNames: [String] { ["sgd.momentum"] }

    public subscript(state name: String) -> [Float] {
        get { velocity }
        set {
            precondition(
                newValue.count == velocity.count, "\(newValue.count) values for \(velocity.count) parameters")
            velocity = newValue
        }
    }

    public func update(_ parameters: ParameterArena, gradients: ParameterArena, step: Int) {
        sgdPass(
            parameters, gradients, &velocity, rate: Float(learningRate), momentum: Float(momentum), options)
    }
}
