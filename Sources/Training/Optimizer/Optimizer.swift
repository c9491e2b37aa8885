import Configuration
import Engine
import RunFiles

/// Updates parameters with gradients: one flat pass over the arenas, in float32, element by element, with the same
/// bits whatever the number of threads or the instruction set.
public protocol Optimizer: AnyObject {
    /// Names of the state arrays, such as `adam.m`; each has an element for every parameter, all zero at first.
    var stateNames: [String] { get }
    /// A copy of a state array, or a new value for it.
    subscript(state name: String) -> [Float] { get set }
    /// One step.
    /// - Parameters:
    ///   - parameters: changed in place.
    ///   - gradients: of the loss by the parameters, same layout.
    ///   - step: number of this step, from 1.
    func update(_ parameters: ParameterArena, gradients: ParameterArena, step: Int)
}

/// How an optimiser's passes run.
public struct PassOptions: Sendable {
    public var instructionSet: InstructionSet
    public var threads: Int

    public init(instructionSet: InstructionSet, threads: Int) {
        self.instructionSet = instructionSet
        self.threads = threads
    }
}

extension RunConfiguration.Optimizer {
    /// The optimiser that is configured, with zero state.
    public func make(parameterCount: Int, options: PassOptions) -> any Training.Optimizer {
        switch name {
        case .adam:
            Adam(
                parameterCount: parameterCount, learningRate: learningRate, beta1: beta1, beta2: beta2,
                epsilon: epsilon, weightDecay: weightDecay, options: options)
        case .sgd:
            StochasticGradientDescent(
                parameterCount: parameterCount, learningRate: learningRate, momentum: momentum,
                options: options)
        }
    }
}

extension Optimizer {
    /// The state arrays as named tensors, `adam.m/<parameter>`.
    public func tensors(_ slices: [NamedSlice]) -> [SafetensorsFile.Tensor] {
        stateNames.flatMap { slices.tensors(of: self[state: $0], prefix: $0 + "/") }
    }

    /// Takes the state out of a checkpoint.
    /// - Throws: ``CheckpointError`` for the first tensor that is missing or has another shape.
    public func restore(_ checkpoint: Checkpoint, slices: [NamedSlice], path: String) throws {
        for name in stateNames {
            self[state: name] = try checkpoint.values(of: slices, prefix: name + "/", path: path)
        }
    }
}
