import COneDNN
import Engine

/// Direct convolution through oneDNN.
///
/// Weights stay plain [out, in, d, h, w] in the arena; oneDNN reorders them a call (a few megabytes). It
/// computes the gaps of a dilated layout too, and reads them: they are cleared first.
final class DirectConvolution: ConvolutionKernel {
    private let convolution: Graph.Convolution
    private let context: Context
    private let forwardPrimitive: ConvolutionPrimitive
    private var weightsPrimitive: ConvolutionPrimitive?
    private var dataPrimitive: ConvolutionPrimitive?
    private let forwardScratch: Buffer
    private var weightsScratch: Buffer?
    private var dataScratch: Buffer?
    private let weights: any WeightStore
    private let bias: ParameterArena.Entry?
    private let inputGaps, outputGaps: Gaps

    /// - Parameter weights: Those of the model where nil.
    init(
        _ convolution: Graph.Convolution, x: Operand, y: Tensor, weights: (any WeightStore)? = nil,
        context: Context, step: Int
    ) throws(EngineError) {
        precondition(x.affine == nil, "\(convolution.name): oneDNN reads plain tensors")
        (self.convolution, self.context) = (convolution, context)
        self.weights = weights ?? ArenaWeights(context, name: "\(convolution.name).weight")
        bias = convolution.bias ? context.model.parameters.existing("\(convolution.name).bias") : nil
        inputGaps = Gaps(x.tensor.layout)
        outputGaps = Gaps(y.layout)
        forwardPrimitive = try ConvolutionPrimitive(
            convolution, x: x.tensor, y: y, direction: DNN_FORWARD)
        forwardScratch = context.planner.buffer(count: forwardPrimitive.scratchFloats, at: step)
    }

    func prepareBackward(
        x: Operand, y: Tensor, data: Bool, epilogue: GradientEpilogue?, step: Int
    ) throws(EngineError) {
        precondition(epilogue == nil, "\(convolution.name): oneDNN writes plain gradients")
        let primitive = try ConvolutionPrimitive(
            convolution, x: share(x.tensor), y: share(y), direction: DNN_BACKWARD_WEIGHTS)
        weightsPrimitive = primitive
        weightsScratch = context.planner.buffer(count: primitive.scratchFloats, at: step)
        guard data else { return }
        let gradient = try ConvolutionPrimitive(
            convolution, x: x.tensor, y: y, direction: DNN_BACKWARD_DATA)
        dataPrimitive = gradient
        dataScratch = context.planner.buffer(count: gradient.scratchFloats, at: step)
    }

    func forward(x: Operand, y: Tensor) throws(EngineError) {
        let parameters = context.model.parameters
        inputGaps.clear(x.tensor, threads: context.threads)
        try forwardPrimitive.run(
            x: x.tensor, weights: weights.values, bias: bias.map(parameters.pointer), y: y,
            scratch: forwardScratch)
    }

    func backwardWeights(x: Operand, dy: Tensor) throws(EngineError) {
        guard let weightsPrimitive, let weightsScratch else {
            preconditionFailure("\(convolution.name) only infers")
        }
        let gradients = context.gradients
        inputGaps.clear(x.tensor, threads: context.threads)
        outputGaps.clear(dy, threads: context.threads)
        try weightsPrimitive.run(
            x: x.tensor, weights: weights.gradients, bias: bias.map(gradients.pointer), y: dy,
            scratch: weightsScratch)
    }

    func backwardData(dy: Tensor, dx: Tensor) throws(EngineError) {
        guard let dataPrimitive, let dataScratch else {
            preconditionFailure("\(convolution.name) has no gradient of its input")
        }
        outputGaps.clear(dy, threads: context.threads)
        try dataPrimitive.run(
            x: dx, weights: weights.values, bias: nil, y: dy, scratch: dataScratch)
    }

    var algorithm: String {
        let primitives = [forwardPrimitive, dataPrimitive, weightsPrimitive].compactMap { $0 }
        return "direct, " + primitives.map(\.implementation).joined(separator: " / ")
    }

    /// The slots whose gradients are formed at a time.
    private func share(_ x: Tensor) -> Tensor { context.slotGradients.isEmpty ? x : x.slice(0) }
}
