import Engine

extension AlgorithmChoice {
    func kind(of convolution: Graph.Convolution, planar: Bool) -> ConvolutionKind {
        let winograd = ConvolutionKind.winograd(convolution, planar: planar)
        if convolution.transposed { return .transposed }
        return (named[convolution.name] ?? rule) == .direct ? .direct : winograd ?? .direct
    }
}

/// Which kernel computes a convolution.
enum ConvolutionKind {
    case direct, transposed
    case winograd
    /// Winograd's algorithm on the parts of a large kernel.
    case unfolded

    /// How Winograd's algorithm computes the convolution, if it does.
    static func winograd(_ convolution: Graph.Convolution, planar: Bool) -> ConvolutionKind? {
        if WinogradConvolution.computes(convolution, planar: planar) { return .winograd }
        return UnfoldedConvolution.computes(convolution, planar: planar) ? .unfolded : nil
    }

    /// Whether the kernel takes voxels that its region leaves out. Winograd's takes them for zero; those of
    /// oneDNN only pass them on to outputs that nobody reads, until they form the gradient of the weights.
    func readsAll(training: Bool) -> Bool {
        switch self {
        case .winograd: false
        case .unfolded: true
        case .direct, .transposed: training
        }
    }

    func kernel(
        _ convolution: Graph.Convolution, x: Operand, y: Tensor, epilogue: Epilogue = Epilogue(),
        region: Region, context: Context, step: Int
    ) throws(EngineError) -> any ConvolutionKernel {
        switch self {
        case .direct:
            if RowConvolution.computes(convolution, input: x.tensor.layout, output: y.layout.size) {
                try RowConvolution(convolution, x: x, y: y, context: context, step: step)
            } else {
                try DirectConvolution(convolution, x: x, y: y, context: context, step: step)
            }
        case .transposed: try TransposedConvolution(convolution, x: x, y: y, context: context, step: step)
        case .winograd:
            WinogradConvolution(
                convolution, x: x, y: y, epilogue: epilogue, region: region, context: context, step: step)
        case .unfolded:
            UnfoldedConvolution(
                convolution, x: x, y: y, epilogue: epilogue, context: context, step: step)
        }
    }
}
