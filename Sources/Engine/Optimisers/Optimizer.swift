/// Updates parameters with gradients: a flat pass of a device over the arenas, in float32, element by
/// element.
public protocol Optimizer: AnyObject {
    /// Names of the state arrays, such as `adam.m`; each has an element for every parameter, all zero at
    /// first.
    var stateNames: [String] { get }
    /// The state arrays in the order of their names, laid out as the parameters.
    var state: [ParameterArena] { get }
    /// One step.
    /// - Parameters:
    ///   - parameters: changed in place.
    ///   - gradients: of the loss by the parameters, same layout.
    ///   - step: number of this step, from 1.
    func update(_ parameters: ParameterArena, gradients: ParameterArena, step: Int)
}

extension Optimizer {
    /// A copy of a state array, or a new value for it.
    public subscript(state name: String) -> [Float] {
        get { array(name).values }
        set { array(name).setValues(newValue) }
    }

    private func array(_ name: String) -> ParameterArena {
        guard let index = stateNames.firstIndex(of: name) else {
            preconditionFailure("no state is named \(name), only \(stateNames)")
        }
        return state[index]
    }
}

/// What an optimiser does in one step to each element, with the numbers of that step.
public enum UpdateRule: Sendable, Hashable {
    /// State: the mean m of the gradients g and the mean v of their squares.
    ///
    /// ```
    /// m += gain (g - m)        v = beta2 v + squareGain g^2
    /// p = decay p - rate m / (sqrt(v) / correction + epsilon)
    /// ```
    case adam(AdamNumbers)
    /// State: the velocity u. `u = momentum u + g`, `p = p - rate u`.
    case momentum(rate: Float, momentum: Float)
}

/// The numbers of a step of Adam: see ``UpdateRule/adam(_:)``.
public struct AdamNumbers: Sendable, Hashable {
    public var gain, beta2, squareGain, rate, correction, epsilon, decay: Float

    public init(
        gain: Float, beta2: Float, squareGain: Float, rate: Float, correction: Float, epsilon: Float,
        decay: Float
    ) {
        (self.gain, self.beta2, self.squareGain, self.rate) = (gain, beta2, squareGain, rate)
        (self.correction, self.epsilon, self.decay) = (correction, epsilon, decay)
    }
}
