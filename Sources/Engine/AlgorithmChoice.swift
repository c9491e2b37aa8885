/// Which algorithm each convolution of a network runs.
public struct AlgorithmChoice: Hashable, Sendable {
    /// For convolutions that `named` does not list.
    public var rule: ConvolutionAlgorithm
    /// By the name of the convolution.
    public var named: [String: ConvolutionAlgorithm]

    public init(_ rule: ConvolutionAlgorithm = .auto, named: [String: ConvolutionAlgorithm] = [:]) {
        (self.rule, self.named) = (rule, named)
    }

    func usesWinograd(_ convolution: Graph.Convolution, planar: Bool) -> Bool {
        WinogradConvolution.computes(convolution, planar: planar)
            && (named[convolution.name] ?? rule) != .direct
    }
}
