/// How a convolution is computed.
public enum ConvolutionAlgorithm: String, Sendable, CaseIterable {
    /// The fastest that the shape allows.
    case auto
    /// The sum as it is written, by oneDNN.
    case direct
    /// Winograd's minimal filtering where the kernel is 3^3, else direct.
    case winograd
}

/// A way to compute one convolution and its gradients. It finds its parameters in the model it was made with.
protocol ConvolutionKernel: AnyObject {
    /// For the plan's summary.
    var algorithm: String { get }

    /// Compiles the gradients: `data` unless the input needs none. `step` is when they run.
    func prepareBackward(x: Tensor, y: Tensor, data: Bool, step: Int) throws(EngineError)

    /// y[o, v] = sum over i, k of w[o, i, k] x[i, v + k - zeros] (+ bias[o])
    func forward(x: Tensor, y: Tensor) throws(EngineError)

    /// dw[o, i, k] = sum over v of dy[o, v] x[i, v + k - zeros]; db[o] = sum over v of dy[o, v];
    /// dx[i, v] = sum over o, k of w[o, i, k] dy[o, v - k + zeros], which overwrites.
    func backward(x: Tensor, dy: Tensor, dx: Tensor?) throws(EngineError)
}

/// A convolution with stride 1. Its dilation lies in the layout of x and y, so that every kernel is undilated.
final class ConvolutionOperation {
    let convolution: Graph.Convolution
    private let threads: Int
    private let kernel: any ConvolutionKernel
    /// Voxels beyond the image, of the input and of the output; nil where every phase is full.
    private let inputTail, outputTail: VoxelRuns?

    init(_ convolution: Graph.Convolution, x: Tensor, y: Tensor, context: Context, step: Int)
        throws(EngineError)
    {
        self.convolution = convolution
        threads = context.threads
        inputTail = Self.tail(of: x.layout)
        outputTail = Self.tail(of: y.layout)
        if context.convolution != .direct && WinogradConvolution.computes(convolution) {
            kernel = WinogradConvolution(convolution, x: x, y: y, context: context, step: step)
        } else {
            kernel = try DirectConvolution(convolution, x: x, y: y, context: context, step: step)
        }
    }

    var algorithm: String { kernel.algorithm }

    func prepareBackward(x: Tensor, y: Tensor, data: Bool, step: Int) throws(EngineError) {
        try kernel.prepareBackward(x: x, y: y, data: data, step: step)
    }

    func forward(x: Tensor, y: Tensor) throws {
        clear(x, inputTail)
        try kernel.forward(x: x, y: y)
    }

    func backward(x: Tensor, dy: Tensor, dx: Tensor?) throws {
        clear(x, inputTail)
        clear(dy, outputTail)
        try kernel.backward(x: x, dy: dy, dx: dx)
    }

    private static func tail(of layout: Layout) -> VoxelRuns? {
        layout.hasTail ? VoxelRuns(layout, tail: true) : nil
    }

    /// A convolution reads zeros beyond the image.
    private func clear(_ x: Tensor, _ tail: VoxelRuns?) {
        if let tail { clearRuns(x, tail, threads: threads) }
    }
}
