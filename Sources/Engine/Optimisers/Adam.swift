import Foundation

/// Adam with bias correction and, if asked for, decoupled weight decay.
///
/// ```
/// m = beta1 m + (1 - beta1) g                 v = beta2 v + (1 - beta2) g^2
/// p = (1 - rate decay) p - rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
/// ```
/// Epsilon stands outside the root and the correction inside it, as in PyTorch's `Adam` and `AdamW`.
/// Kingma and Ba 2015; Loshchilov and Hutter 2019 for the decay.
public final class Adam: Optimizer {
    public let learningRate, beta1, beta2, epsilon, weightDecay: Double
    public let stateNames = ["adam.m", "adam.v"]
    public let state: [ParameterArena]
    private let device: any Device

    /// - Parameters:
    ///   - parameters: Those to be updated; the state is laid out as they are.
    ///   - learningRate: above 0.
    ///   - beta1: decay of the mean, 0 to below 1.
    ///   - beta2: decay of the squares, 0 to below 1.
    ///   - epsilon: above 0.
    ///   - weightDecay: share of the learning rate by which parameters shrink a step.
    public init(
        for parameters: ParameterArena, learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Double = 1e-8, weightDecay: Double = 0, on device: any Device
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.device = device
        state = [ParameterArena(like: parameters), ParameterArena(like: parameters)]
    }

    public func update(_ parameters: ParameterArena, gradients: ParameterArena, step: Int) {
        precondition(step >= 1, "steps count from 1, not \(step)")
        // In double, as PyTorch does; beta^t loses all digits of 1 - beta^t in float32.
        let numbers = AdamNumbers(
            gain: Float(1 - beta1), beta2: Float(beta2), squareGain: Float(1 - beta2),
            rate: Float(learningRate / (1 - pow(beta1, Double(step)))),
            correction: Float((1 - pow(beta2, Double(step))).squareRoot()), epsilon: Float(epsilon),
            decay: Float(1 - learningRate * weightDecay))
        device.update(parameters, gradients: gradients, state: state, by: .adam(numbers))
    }
}
