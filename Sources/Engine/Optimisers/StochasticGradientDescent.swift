/// Stochastic gradient descent with momentum, as PyTorch's `SGD` without dampening:
/// `u = momentum u + g`, `p = p - rate u`.
public final class StochasticGradientDescent: Optimizer {
    public let learningRate, momentum: Double
    public let stateNames = ["sgd.momentum"]
    public let state: [ParameterArena]
    private let device: any Device

    /// - Parameters:
    ///   - parameters: Those to be updated; the state is laid out as they are.
    ///   - learningRate: above 0.
    ///   - momentum: 0 to below 1.
    public init(
        for parameters: ParameterArena, learningRate: Double, momentum: Double, on device: any Device
    ) {
        (self.learningRate, self.momentum, self.device) = (learningRate, momentum, device)
        state = [ParameterArena(like: parameters)]
    }

    public func update(_ parameters: ParameterArena, gradients: ParameterArena, step: Int) {
        device.update(
            parameters, gradients: gradients, state: state,
            by: .momentum(rate: Float(learningRate), momentum: Float(momentum)))
    }
}
