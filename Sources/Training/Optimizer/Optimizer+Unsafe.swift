import CKernels
import Engine
import RunFiles

extension dr_adam {
    func run(
        _ parameters: ParameterArena, _ gradients: ParameterArena, _ mean: inout [Float],
        _ square: inout [Float],
        _ options: PassOptions
    ) {
        requireEqualCounts(parameters, gradients, mean.count)
        withUnsafePointer(to: self) { settings in
            parameters.withUnsafeMutableBuffer { p in
                gradients.withUnsafeMutableBuffer { g in
                    dr_adam_step(
                        settings, Int64(p.count), p.baseAddress, g.baseAddress, &mean, &square,
                        options.instructionSet.kernels, Int32(options.threads))
                }
            }
        }
    }
}

func sgdPass(
    _ parameters: ParameterArena, _ gradients: ParameterArena, _ velocity: inout [Float], rate: Float,
    momentum: Float, _ options: PassOptions
) {
    requireEqualCounts(parameters, gradients, velocity.count)
    parameters.withUnsafeMutableBuffer { p in
        gradients.withUnsafeMutableBuffer { g in
            dr_sgd_step(
                rate, momentum, Int64(p.count), p.baseAddress, g.baseAddress, &velocity,
                options.instructionSet.kernels, Int32(options.threads))
        }
    }
}

extension ParameterArena {
    /// Whether all values are finite numbers.
    func isFinite(_ options: PassOptions) -> Bool {
        withUnsafeMutableBuffer { buffer in
            dr_all_finite(
                Int64(buffer.count), buffer.baseAddress, options.instructionSet.kernels,
                Int32(options.threads)) != 0
        }
    }

    /// The Euclidean norm of all values, from a sum in double that has the same bits whatever the options.
    func norm(_ options: PassOptions) -> Double {
        withUnsafeMutableBuffer { buffer in
            dr_sum_of_squares(
                Int64(buffer.count), buffer.baseAddress, options.instructionSet.kernels,
                Int32(options.threads)
            ).squareRoot()
        }
    }

    /// Multiplies every value.
    func scale(by factor: Float, _ options: PassOptions) {
        withUnsafeMutableBuffer { buffer in
            dr_scale(
                factor, Int64(buffer.count), buffer.baseAddress, options.instructionSet.kernels,
                Int32(options.threads))
        }
    }

    /// A copy of all values.
    var values: [Float] { withUnsafeMutableBuffer { Array($0) } }

    /// Sets all values.
    func setValues(_ values: [Float]) {
        precondition(values.count == count, "\(values.count) values for an arena of \(count)")
        withUnsafeMutableBuffer { _ = $0.update(fromContentsOf: values) }
    }

    var slices: [NamedSlice] { entries.map { NamedSlice(name: $0.name, shape: $0.shape, range: $0.range) } }
}

extension InstructionSet {
    fileprivate var kernels: dr_isa {
        switch self {
        case .portable: DR_PORTABLE
        case .avx2: DR_AVX2
        case .avx512: DR_AVX512
        }
    }
}

private func requireEqualCounts(_ parameters: ParameterArena, _ gradients: ParameterArena, _ state: Int) {
    precondition(
        parameters.count == gradients.count && parameters.count == state,
        "\(parameters.count) parameters, \(gradients.count) gradients, \(state) values of state")
}
