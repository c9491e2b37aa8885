import COneDNN

/// Direct convolution through oneDNN.
///
/// Weights stay plain [out, in, d, h, w] in the arena; oneDNN reorders them a call (a few megabytes).
final class DirectConvolution: ConvolutionKernel {
    private let convolution: Graph.Convolution
    private let context: Context
    private let forwardPrimitive: ConvolutionPrimitive
    private var weightsPrimitive: ConvolutionPrimitive?
    private var dataPrimitive: ConvolutionPrimitive?
    private let forwardScratch: Buffer
    private var weightsScratch: Buffer?
    private var dataScratch: Buffer?
    private let weights: ParameterArena.Entry
    private let bias: ParameterArena.Entry?

    init(_ convolution: Graph.Convolution, x: Tensor, y: Tensor, context: Context, step: Int)
        throws(EngineError)
    {
        (self.convolution, self.context) = (convolution, context)
        weights = context.model.parameters.existing("\(convolution.name).weight")
        bias = context.model.parameters.entry(named: "\(convolution.name).bias")
        forwardPrimitive = try ConvolutionPrimitive(convolution, x: x, y: y, direction: DNN_FORWARD)
        forwardScratch = context.planner.buffer(count: forwardPrimitive.scratchFloats, at: step)
    }

    func prepareBackward(x: Tensor, y: Tensor, data: Bool, step: Int) throws(EngineError) {
        let weights = try ConvolutionPrimitive(convolution, x: x, y: y, direction: DNN_BACKWARD_WEIGHTS)
        weightsPrimitive = weights
        weightsScratch = context.planner.buffer(count: weights.scratchFloats, at: step)
        guard data else { return }
        let gradient = try ConvolutionPrimitive(convolution, x: x, y: y, direction: DNN_BACKWARD_DATA)
        dataPrimitive = gradient
        dataScratch = context.planner.buffer(count: gradient.scratchFloats, at: step)
    }

    func forward(x: Tensor, y: Tensor) throws(EngineError) {
        let parameters = context.model.parameters
        try forwardPrimitive.run(
            x: x, weights: parameters.pointer(weights), bias: bias.map(parameters.pointer), y: y,
            scratch: forwardScratch)
    }

    func backward(x: Tensor, dy: Tensor, dx: Tensor?) throws(EngineError) {
        guard let weightsPrimitive, let weightsScratch else {
            preconditionFailure("\(convolution.name) only infers")
        }
        let (parameters, gradients) = (context.model.parameters, context.model.gradients)
        try weightsPrimitive.run(
            x: x, weights: gradients.pointer(weights), bias: bias.map(gradients.pointer), y: dy,
            scratch: weightsScratch)
        if let dx, let dataPrimitive, let dataScratch {
            try dataPrimitive.run(
                x: dx, weights: parameters.pointer(weights), bias: nil, y: dy, scratch: dataScratch)
        }
    }

    var algorithm: String {
        let primitives = [forwardPrimitive, dataPrimitive, weightsPrimitive].compactMap { $0 }
        return "direct, " + primitives.map(\.implementation).joined(separator: " / ")
    }
}
