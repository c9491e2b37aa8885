import CKernels
import Engine

// The flat passes over arenas.
extension CPUDevice {
    public func update(
        _ parameters: ParameterArena, gradients: ParameterArena, state: [ParameterArena],
        by rule: UpdateRule
    ) {
        precondition(
            ([gradients] + state).allSatisfy { $0.count == parameters.count },
            "\(parameters.count) parameters, \(gradients.count) gradients, \(state.map(\.count)) values of state"
        )
        let (p, g) = (parameters.hostMemory, gradients.hostMemory)
        switch rule {
        case .adam(let numbers):
            precondition(state.count == 2, "\(state.count) arrays of state, Adam has 2")
            var settings = dr_adam(
                gain: numbers.gain, beta2: numbers.beta2, square_gain: numbers.squareGain,
                rate: numbers.rate, correction: numbers.correction, epsilon: numbers.epsilon,
                decay: numbers.decay)
            dr_adam_step(
                &settings, Int64(p.count), p.baseAddress, g.baseAddress, state[0].hostMemory.baseAddress,
                state[1].hostMemory.baseAddress, instructionSet.kernels, Int32(threads))
        case .momentum(let rate, let momentum):
            precondition(state.count == 1, "\(state.count) arrays of state, momentum has 1")
            dr_sgd_step(
                rate, momentum, Int64(p.count), p.baseAddress, g.baseAddress,
                state[0].hostMemory.baseAddress, instructionSet.kernels, Int32(threads))
        }
    }

    public func isFinite(_ arena: ParameterArena) -> Bool {
        let values = arena.hostMemory
        return dr_all_finite(
            Int64(values.count), values.baseAddress, instructionSet.kernels, Int32(threads)) != 0
    }

    public func norm(_ arena: ParameterArena) -> Double {
        let values = arena.hostMemory
        return dr_sum_of_squares(
            Int64(values.count), values.baseAddress, instructionSet.kernels, Int32(threads)
        ).squareRoot()
    }

    public func scale(_ arena: ParameterArena, by factor: Float) {
        let values = arena.hostMemory
        dr_scale(
            factor, Int64(values.count), values.baseAddress, instructionSet.kernels, Int32(threads))
    }
}
