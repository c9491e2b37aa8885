import COneDNN
import Engine

/// y[o, v kernel + k] = sum over i of w[i, o, k] x[i, v]: the transpose of a convolution whose stride is its
/// kernel, and so that convolution's gradient of its input. Its own gradients are the convolution and its
/// gradient of the weights.
final class TransposedConvolution: ConvolutionKernel {
    private let convolution: Graph.Convolution
    private let context: Context
    private let weights: ParameterArena.Entry
    private let forwardPrimitive: ConvolutionPrimitive
    private let forwardScratch: Buffer
    private var weightsPrimitive, dataPrimitive: ConvolutionPrimitive?
    private var weightsScratch, dataScratch: Buffer?
    private let inputGaps, outputGaps: Gaps

    init(_ convolution: Graph.Convolution, x: Operand, y: Tensor, context: Context, step: Int)
        throws(EngineError)
    {
        precondition(x.affine == nil, "\(convolution.name): oneDNN reads plain tensors")
        (self.convolution, self.context) = (convolution, context)
        weights = context.model.parameters.existing("\(convolution.name).weight")
        (inputGaps, outputGaps) = (Gaps(x.tensor.layout), Gaps(y.layout))
        forwardPrimitive = try Self.primitive(convolution, x: x.tensor, y: y, DNN_BACKWARD_DATA)
        forwardScratch = context.planner.buffer(count: forwardPrimitive.scratchFloats, at: step)
    }

    private static func primitive(
        _ c: Graph.Convolution, x: Tensor, y: Tensor, _ direction: dnn_direction
    ) throws(EngineError) -> ConvolutionPrimitive {
        try ConvolutionPrimitive(c, x: y, y: x, stride: c.kernel, direction: direction)
    }

    func prepareBackward(
        x: Operand, y: Tensor, data: Bool, epilogue: GradientEpilogue?, step: Int
    ) throws(EngineError) {
        precondition(epilogue == nil, "\(convolution.name): oneDNN writes plain gradients")
        let share = context.slotGradients.isEmpty ? (x.tensor, y) : (x.tensor.slice(0), y.slice(0))
        let weights = try Self.primitive(convolution, x: share.0, y: share.1, DNN_BACKWARD_WEIGHTS)
        weightsPrimitive = weights
        weightsScratch = context.planner.buffer(count: weights.scratchFloats, at: step)
        guard data else { return }
        let gradient = try Self.primitive(convolution, x: x.tensor, y: y, DNN_FORWARD)
        dataPrimitive = gradient
        dataScratch = context.planner.buffer(count: gradient.scratchFloats, at: step)
    }

    func forward(x: Operand, y: Tensor) throws(EngineError) {
        try forwardPrimitive.run(
            x: y, weights: context.model.parameters.pointer(weights), bias: nil, y: x.tensor,
            scratch: forwardScratch)
    }

    func backwardWeights(x: Operand, dy: Tensor) throws(EngineError) {
        guard let weightsPrimitive, let weightsScratch else {
            preconditionFailure("\(convolution.name) only infers")
        }
        inputGaps.clear(x.tensor, threads: context.threads)
        outputGaps.clear(dy, threads: context.threads)
        try weightsPrimitive.run(
            x: dy, weights: context.gradients.pointer(weights), bias: nil, y: x.tensor,
            scratch: weightsScratch)
    }

    func backwardData(dy: Tensor, dx: Tensor) throws(EngineError) {
        guard let dataPrimitive, let dataScratch else {
            preconditionFailure("\(convolution.name) has no gradient of its input")
        }
        try dataPrimitive.run(
            x: dy, weights: context.model.parameters.pointer(weights), bias: nil, y: dx, scratch: dataScratch)
    }

    var algorithm: String {
        let primitives = [forwardPrimitive, dataPrimitive, weightsPrimitive].compactMap { $0 }
        return "transposed, " + primitives.map(\.implementation).joined(separator: " / ")
    }
}
