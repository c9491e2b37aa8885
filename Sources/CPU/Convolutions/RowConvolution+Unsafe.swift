import CKernels
import Engine
import Geometry

/// A two-dimensional convolution of few outputs and a large kernel, row by row of the kernel's columns.
///
/// Vectors hold 8 or 16 outputs, of which a classifier of 2 would leave most empty. Here each column b of the
/// kernel is a set of outputs of its own, convolved along the height alone, z[b, o][i, u] = sum over a, c of
/// w[o, c, a, b] x[c][i + a, u], and y[o][i, j] = sum over b of z[b, o][i, j + b]. The columns that lie
/// beside the image cost less than empty lanes.
final class RowConvolution: ConvolutionKernel {
    private let inner: DirectConvolution
    private let convolution: Graph.Convolution
    private let context: Context
    private let weights: ParameterArena.Entry
    private let bias: ParameterArena.Entry?
    private let store: RearrangedWeights
    private let layout: Layout
    private let rows: Tensor
    private let outputs: VoxelRuns
    private var gradient: Tensor?
    private var shape = dr_skew()

    /// Whether it takes fewer products than the direct sum, empty lanes counted.
    static func computes(_ c: Graph.Convolution, input: Layout, output: Size3) -> Bool {
        guard input.planar, !c.transposed, c.dilation == 1, c.kernel.depth == 1, c.kernel.width > 1 else {
            return false
        }
        func padded(_ channels: Int) -> Int { (channels + input.block - 1) / input.block * input.block }
        let direct = padded(c.outputChannels) * c.kernel.width * output.width
        return padded(c.outputChannels * c.kernel.width) * input.size.width < direct
    }

    init(_ convolution: Graph.Convolution, x: Operand, y: Tensor, context: Context, step: Int)
        throws(EngineError)
    {
        (self.convolution, self.context) = (convolution, context)
        weights = context.model.parameters.existing("\(convolution.name).weight")
        bias = context.model.parameters.entry(named: "\(convolution.name).bias")
        outputs = context.voxels(of: y.layout)
        var column = convolution
        column.kernel = Size3(1, convolution.kernel.height, 1)
        column.outputChannels *= convolution.kernel.width
        column.bias = false
        let from = x.tensor.layout
        layout = y.layout.with(
            channels: column.outputChannels, size: Size3(1, y.layout.size.height, from.size.width))
        shape.image = (Int64(y.layout.size.height), Int64(y.layout.size.width))
        shape.rows = (Int64(layout.size.height), Int64(layout.size.width))
        shape.columns = Int32(convolution.kernel.width)
        (shape.outputs, shape.zeros) = (Int32(convolution.outputChannels), Int32(convolution.zeros(2)))
        // [column][out][in][height]
        store = RearrangedWeights(
            convolution,
            count: convolution.outputChannels * convolution.inputChannels * convolution.kernel.count
        ) { output, input, i, j in
            ((j * convolution.outputChannels + output) * convolution.inputChannels + input)
                * convolution.kernel.height + i
        }
        rows = context.tensor(layout, at: step)
        inner = try DirectConvolution(
            column, x: x, y: rows, weights: store, context: context, step: step)
    }

    var algorithm: String { "\(inner.algorithm), by rows" }

    func prepareBackward(
        x: Operand, y: Tensor, data: Bool, epilogue: GradientEpilogue?, step: Int
    ) throws(EngineError) {
        precondition(epilogue == nil, "\(convolution.name): oneDNN writes plain gradients")
        let rows = context.tensor(layout, at: step)
        gradient = rows
        try inner.prepareBackward(x: x, y: rows, data: data, epilogue: nil, step: step)
    }

    func forward(x: Operand, y: Tensor) throws(EngineError) {
        store.load(context.model.parameters.pointer(weights))
        try inner.forward(x: x, y: rows)
        var (from, to) = (rows.kernelView, y.kernelView)
        dr_skew_sum(
            &from, &to, bias.map(context.model.parameters.pointer), &shape, Int32(context.threads))
    }

    /// Leaves the rows of dy for `backwardData`, which follows it.
    func backwardWeights(x: Operand, dy: Tensor) throws(EngineError) {
        guard let gradient else { preconditionFailure("\(convolution.name) only infers") }
        let rows = dy.slots == gradient.slots ? gradient : gradient.slice(dy.firstSlot)
        var (from, to) = (dy.kernelView, rows.kernelView)
        dr_skew_spread(&from, &to, &shape, Int32(context.threads))
        try inner.backwardWeights(x: x, dy: rows)
        store.save(context.gradients.pointer(weights))
        if let bias {
            storeBiasGradient(
                of: dy, channels: convolution.outputChannels, outputs, context.threads,
                into: context.gradients.pointer(bias))
        }
    }

    func backwardData(dy: Tensor, dx: Tensor) throws(EngineError) {
        guard let gradient else { preconditionFailure("\(convolution.name) only infers") }
        try inner.backwardData(dy: gradient, dx: dx)
    }
}
