import COneDNN

/// Direct convolution through oneDNN, stride 1.
///
/// y[o] = sum over i, k of w[o, i, k] x[i, v + k - zeros] (+ bias). A dilation lies in the layout of x and y, so every
/// primitive here is undilated. Weights stay plain [out, in, d, h, w]; oneDNN reorders them a call (a few megabytes).
final class ConvolutionOperation {
    let convolution: Graph.Convolution
    private let context: Context
    private let forwardPrimitive: ConvolutionPrimitive
    private var weightsPrimitive: ConvolutionPrimitive?
    private var dataPrimitive: ConvolutionPrimitive?
    private let forwardScratch: Buffer
    private var weightsScratch: Buffer?
    private var dataScratch: Buffer?
    private let weights: ParameterArena.Entry
    private let bias: ParameterArena.Entry?
    /// Voxels beyond the image, of the input and of the output; nil where every phase is full.
    private let inputTail, outputTail: VoxelRuns?

    init(_ convolution: Graph.Convolution, x: Tensor, y: Tensor, context: Context, step: Int)
        throws(EngineError)
    {
        self.convolution = convolution
        self.context = context
        guard let weights = context.model.parameters.entry(named: "\(convolution.name).weight") else {
            preconditionFailure("\(convolution.name) has no weights")
        }
        self.weights = weights
        bias = context.model.parameters.entry(named: "\(convolution.name).bias")
        inputTail = Self.tail(of: x.layout)
        outputTail = Self.tail(of: y.layout)
        forwardPrimitive = try ConvolutionPrimitive(convolution, x: x, y: y, direction: DNN_FORWARD)
        forwardScratch = context.planner.buffer(count: forwardPrimitive.scratchFloats, at: step)
    }

    /// Compiles the gradients: `data` unless the input needs none.
    func prepareBackward(x: Tensor, y: Tensor, data: Bool, step: Int) throws(EngineError) {
        let weights = try ConvolutionPrimitive(convolution, x: x, y: y, direction: DNN_BACKWARD_WEIGHTS)
        weightsPrimitive = weights
        weightsScratch = context.planner.buffer(count: weights.scratchFloats, at: step)
        guard data else { return }
        let gradient = try ConvolutionPrimitive(convolution, x: x, y: y, direction: DNN_BACKWARD_DATA)
        dataPrimitive = gradient
        dataScratch = context.planner.buffer(count: gradient.scratchFloats, at: step)
    }

    func forward(x: Tensor, y: Tensor) throws {
        clear(x, inputTail)
        try forwardPrimitive.run(
            x: x, weights: context.model.parameters.pointer(weights),
            bias: bias.map(context.model.parameters.pointer), y: y, scratch: forwardScratch)
    }

    /// dw[o, i, k] = sum over v of dy[o, v] x[i, v + k - zeros]; db[o] = sum over v of dy[o, v];
    /// dx[i, v] = sum over o, k of w[o, i, k] dy[o, v - k + zeros].
    func backward(x: Tensor, dy: Tensor, dx: Tensor?) throws {
        guard let weightsPrimitive, let weightsScratch else {
            preconditionFailure("\(convolution.name) only infers")
        }
        clear(x, inputTail)
        clear(dy, outputTail)
        let gradients = context.model.gradients
        try weightsPrimitive.run(
            x: x, weights: gradients.pointer(weights), bias: bias.map(gradients.pointer), y: dy,
            scratch: weightsScratch)
        if let dx, let dataPrimitive, let dataScratch {
            try dataPrimitive.run(
                x: dx, weights: context.model.parameters.pointer(weights), bias: nil, y: dy,
                scratch: dataScratch)
        }
    }

    /// What runs, for the plan's summary.
    var algorithm: String {
        let primitives = [forwardPrimitive, dataPrimitive, weightsPrimitive].compactMap { $0 }
        return primitives.map(\.implementation).joined(separator: " / ")
    }

    private static func tail(of layout: Layout) -> VoxelRuns? {
        layout.hasTail ? VoxelRuns(size: layout.size, dilation: layout.dilation, tail: true) : nil
    }

    /// A convolution reads zeros beyond the image.
    private func clear(_ x: Tensor, _ tail: VoxelRuns?) {
        if let tail { clearRuns(x, tail, threads: context.threads) }
    }
}
