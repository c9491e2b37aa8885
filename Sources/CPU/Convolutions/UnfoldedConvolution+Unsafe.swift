import CKernels
import Engine
import Geometry

/// A two-dimensional convolution with a kernel larger than 3^2, by Winograd's algorithm for 3^2.
///
/// The kernel is cut into parts of 3^2, the last ones filled up with zeros; each sees the image shifted.
/// Parts stand side by side as channels, so that a kernel of 13^2 on 3 channels is one of 3^2 on 75: 2.7
/// times fewer products than the direct sum, and full vectors where an image of few channels leaves them
/// empty.
final class UnfoldedConvolution: ConvolutionKernel {
    private let inner: WinogradConvolution
    private let convolution: Graph.Convolution
    private let context: Context
    private let weights: ParameterArena.Entry
    private let store: RearrangedWeights
    private let wide: Layout
    private let unfolded: Tensor
    private var unfoldedAgain, gradient: Tensor?
    private var shape = dr_unfold()

    private static func parts(_ c: Graph.Convolution) -> Size3 { Size3 { (c.kernel[$0] + 2) / 3 } }

    /// Whether the algorithm applies.
    static func computes(_ c: Graph.Convolution, planar: Bool) -> Bool {
        planar && !c.transposed && c.dilation == 1 && c.kernel.depth == 1
            && min(c.kernel.height, c.kernel.width) > 3
            && max(c.inputChannels * parts(c).count, c.outputChannels) <= Int(DR_WINOGRAD_CHANNELS.rawValue)
    }

    init(
        _ convolution: Graph.Convolution, x: Operand, y: Tensor, epilogue: Epilogue, context: Context,
        step: Int
    ) {
        precondition(x.affine == nil, "\(convolution.name): unfolding reads plain tensors")
        (self.convolution, self.context) = (convolution, context)
        weights = context.model.parameters.existing("\(convolution.name).weight")
        let parts = Self.parts(convolution)
        let (from, to) = (x.tensor.layout, y.layout.size)
        var small = convolution
        (small.kernel, small.padding) = (Size3(1, 3, 3), .valid)
        small.inputChannels *= parts.count
        wide = from.with(channels: small.inputChannels, size: Size3(1, to.height + 2, to.width + 2))
        shape.image = (Int64(from.size.height), Int64(from.size.width))
        shape.wide = (Int64(wide.size.height), Int64(wide.size.width))
        shape.parts = (Int32(parts.height), Int32(parts.width))
        shape.zeros = (Int32(convolution.zeros(1)), Int32(convolution.zeros(2)))
        shape.channels = Int32(convolution.inputChannels)
        // [out][part][in][3][3]
        store = RearrangedWeights(convolution, count: small.outputChannels * small.inputChannels * 9) {
            output, input, i, j in
            let part = i / 3 * parts.width + j / 3
            return ((output * parts.count + part) * convolution.inputChannels + input) * 9 + i % 3 * 3 + j % 3
        }
        unfolded = context.tensor(wide, at: step)
        inner = WinogradConvolution(
            small, x: Operand(tensor: unfolded), y: y, epilogue: epilogue,
            region: Region(x: VoxelBox(wide.size), y: VoxelBox(to)), weights: store, context: context,
            step: step)
    }

    var algorithm: String { inner.algorithm + " of \(shape.parts.0)x\(shape.parts.1) parts" }

    func prepareBackward(
        x: Operand, y: Tensor, data: Bool, epilogue: GradientEpilogue?, step: Int
    ) throws(EngineError) {
        precondition(epilogue == nil, "\(convolution.name): unfolding writes plain gradients")
        let again = context.tensor(wide, at: step)
        unfoldedAgain = again
        if data { gradient = context.tensor(wide, at: step) }
        try inner.prepareBackward(x: Operand(tensor: again), y: y, data: data, epilogue: nil, step: step)
    }

    private func unfold(_ x: Tensor, to wide: Tensor) {
        var (from, to) = (x.kernelView, wide.kernelView)
        dr_unfold_pass(&from, &to, &shape, Int32(context.threads))
    }

    func forward(x: Operand, y: Tensor) throws(EngineError) {
        unfold(x.tensor, to: unfolded)
        store.load(context.model.parameters.pointer(weights))
        try inner.forward(x: Operand(tensor: unfolded), y: y)
    }

    func backwardWeights(x: Operand, dy: Tensor) throws(EngineError) {
        guard let unfoldedAgain else { preconditionFailure("\(convolution.name) only infers") }
        let wide = dy.slots == unfoldedAgain.slots ? unfoldedAgain : unfoldedAgain.slice(dy.firstSlot)
        unfold(x.tensor, to: wide)
        try inner.backwardWeights(x: Operand(tensor: wide), dy: dy)
        store.save(context.gradients.pointer(weights))
    }

    /// With the weights that the last `forward` loaded.
    func backwardData(dy: Tensor, dx: Tensor) throws(EngineError) {
        guard let gradient else { preconditionFailure("\(convolution.name) has no gradient of its input") }
        try inner.backwardData(dy: dy, dx: gradient)
        var (from, to) = (gradient.kernelView, dx.kernelView)
        dr_fold_pass(&from, &to, &shape, Int32(context.threads))
    }
}
