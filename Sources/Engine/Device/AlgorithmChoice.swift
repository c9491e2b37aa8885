/// How a convolution is computed.
public enum ConvolutionAlgorithm: String, Sendable, CaseIterable {
    /// Winograd's where it applies, else direct.
    case auto
    /// The sum as it is written, by oneDNN.
    case direct
    /// Winograd's minimal filtering where the kernel is 3^3 (or 3^2 on 2D images), else direct.
    case winograd
}

/// Which algorithm each convolution of a network runs.
public struct AlgorithmChoice: Hashable, Sendable {
    /// For convolutions that `named` does not list.
    public var rule: ConvolutionAlgorithm
    /// By the name of the convolution.
    public var named: [String: ConvolutionAlgorithm]

    public init(_ rule: ConvolutionAlgorithm = .auto, named: [String: ConvolutionAlgorithm] = [:]) {
        (self.rule, self.named) = (rule, named)
    }
}

extension AlgorithmChoice {
    /// `<name> <algorithm>` a line, as checkpoints keep it and ranks send it.
    public var text: String {
        named.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.rawValue)" }.joined(separator: "\n")
    }

    /// Lines that say nothing known are passed over: the rule decides for their convolutions.
    public init(text: String) {
        self.init()
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 2 { named[words[0]] = ConvolutionAlgorithm(rawValue: words[1]) }
        }
    }
}
