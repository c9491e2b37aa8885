import Configuration
import Engine
import RunFiles

extension RunConfiguration.Optimizer {
    /// The optimiser that is configured, with zero state.
    public func make(for parameters: ParameterArena, on device: any Device) -> any Engine.Optimizer {
        switch name {
        case .adam:
            Adam(
                for: parameters, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
                weightDecay: weightDecay, on: device)
        case .sgd:
            StochasticGradientDescent(
                for: parameters, learningRate: learningRate, momentum: momentum, on: device)
        }
    }
}

extension Engine.Optimizer {
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
