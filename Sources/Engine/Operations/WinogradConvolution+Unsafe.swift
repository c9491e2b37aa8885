import CKernels

/// 3^3 convolution by Winograd's minimal filtering F(4,3)^3 (Lavin and Gray 2016, in three dimensions).
///
/// 216 products stand for 1,728 of the direct sum. Rounding: about 1e-6 of a result's norm, against 3e-7 directly.
/// The gradient with respect to the input is the same pass with mirrored weights; that of the weights is F(3,4)^3.
final class WinogradConvolution: ConvolutionKernel {
    private let convolution: Graph.Convolution
    private let context: Context
    private let weights: ParameterArena.Entry
    private let forwardPass: Pass
    private var dataPass: Pass?
    private var weightsScratch: Buffer?

    /// Buffers of a convolution pass: the transformed weights, and the tiles in flight.
    private struct Pass {
        let weights, scratch: Buffer

        init(x: Tensor, y: Tensor, zeros: Int, context: Context, step: Int) {
            var shape = WinogradConvolution.shape(x: x, y: y, zeros: zeros, bound: false)
            let floats = dr_winograd_weight_floats(
                x.layout.instructionSet.kernels, Int64(x.layout.blocks), Int64(y.layout.blocks))
            weights = context.planner.buffer(count: Int(floats), at: step)
            scratch = context.planner.buffer(
                count: Int(dr_winograd_scratch_floats(&shape, Int32(context.threads))), at: step)
        }
    }

    /// Whether the algorithm applies.
    static func computes(_ c: Graph.Convolution) -> Bool {
        c.kernel == Size3(cube: 3) && !c.bias
            && max(c.inputChannels, c.outputChannels) <= Int(DR_WINOGRAD_CHANNELS.rawValue)
    }

    init(_ convolution: Graph.Convolution, x: Tensor, y: Tensor, context: Context, step: Int) {
        precondition(Self.computes(convolution), "\(convolution.name) is not a 3^3 convolution without bias")
        (self.convolution, self.context) = (convolution, context)
        weights = context.model.parameters.existing("\(convolution.name).weight")
        forwardPass = Pass(x: x, y: y, zeros: Self.zeros(convolution), context: context, step: step)
    }

    var algorithm: String { "Winograd F(4,3)^3" }

    func prepareBackward(x: Tensor, y: Tensor, data: Bool, step: Int) throws(EngineError) {
        var shape = Self.shape(x: x, y: y, zeros: Self.zeros(convolution), bound: false)
        let floats = dr_winograd_gradient_scratch_floats(&shape, Int32(context.threads))
        weightsScratch = context.planner.buffer(count: Int(floats), at: step)
        if data {
            dataPass = Pass(x: y, y: x, zeros: 2 - Self.zeros(convolution), context: context, step: step)
        }
    }

    func forward(x: Tensor, y: Tensor) throws(EngineError) {
        convolve(x, y, zeros: Self.zeros(convolution), mirrored: false, forwardPass)
    }

    func backward(x: Tensor, dy: Tensor, dx: Tensor?) throws(EngineError) {
        guard let weightsScratch else { preconditionFailure("\(convolution.name) only infers") }
        var shape = Self.shape(x: x, y: dy, zeros: Self.zeros(convolution), bound: true)
        dr_winograd_gradient(
            &shape, context.model.gradients.pointer(weights), Int32(convolution.outputChannels),
            Int32(convolution.inputChannels), weightsScratch.pointer, Int32(context.threads))
        if let dx, let dataPass {
            convolve(dy, dx, zeros: 2 - Self.zeros(convolution), mirrored: true, dataPass)
        }
    }

    private func convolve(_ x: Tensor, _ y: Tensor, zeros: Int, mirrored: Bool, _ pass: Pass) {
        var shape = Self.shape(x: x, y: y, zeros: zeros, bound: true)
        let threads = Int32(context.threads)
        dr_winograd_weights(
            context.model.parameters.pointer(weights), Int32(convolution.outputChannels),
            Int32(convolution.inputChannels), mirrored ? 1 : 0, x.layout.instructionSet.kernels,
            pass.weights.pointer,
            threads)
        dr_winograd_forward(&shape, pass.weights.pointer, pass.scratch.pointer, threads)
    }

    /// Zeros on either side of a phase.
    private static func zeros(_ c: Graph.Convolution) -> Int { c.zeros(0) / c.dilation }

    /// - Parameter bound: Whether memory has been planned; shapes alone tell the scratch.
    private static func shape(x: Tensor, y: Tensor, zeros: Int, bound: Bool) -> dr_winograd {
        return dr_winograd(
            x: x.kernelView(bound: bound), y: y.kernelView(bound: bound),
            x_extent: x.layout.extent.kernelView,
            y_extent: y.layout.extent.kernelView, zeros: Int32(zeros))
    }
}
