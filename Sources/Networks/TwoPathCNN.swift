import Engine
import Geometry

/// TwoPathCNN: a local and a global path on slices, side by side, and one large kernel that classifies.
///
/// Citation: M. Havaei, A. Davy, D. Warde-Farley, A. Biard, A. Courville, Y. Bengio, C. Pal, P.-M. Jodoin, H.
/// Larochelle, "Brain tumor segmentation with deep neural networks", Medical Image Analysis 2017; the kernels
/// are those that Sudre et al. 2017 name.
///
///     local1  7^2 convolution, BN, maxout of 2; the maximum of each 4^2, 1 apart
///     local2  5^2 convolution, BN, maxout of 2; the maximum of each 2^2, 1 apart
///     global  13^2 convolution of the image, BN, maxout of 2; the maximum of each 2^2, 1 apart
///     logits  both side by side; 19^2 convolution with a bias a class, or without one and followed by BN
///
/// An input of n voxels an axis gives n - 32: 51 -> 19, 63 -> 31, 85 -> 53 (Table 1 of Sudre et al. 2017).
/// Convolutions are valid, and without a bias before BN. The global path comes out one voxel larger than the
/// local one, so that it lies half a voxel off: its last row and column are left out. Dropout, where it is
/// configured, stands before the logits.
///
/// One input channel, two classes, the default widths (channels after maxout):
///
/// | layer  | channels | parameters | receptive field |
/// |--------|----------|------------|-----------------|
/// | local1 | 64       | 6,528      | 10              |
/// | local2 | 64       | 205,056    | 15              |
/// | global | 160      | 54,720     | 14              |
/// | logits | 2        | 161,730    | 33              |
/// | all    |          | 428,034    | 33              |
///
/// Each further input channel adds 60,352.
public struct TwoPathCNN: Network {
    public static let name = "twopathcnn"
    public static let isPlanar = true
    public let border = 16
    public let smallestBorder = 16
    public let patchEdges = PatchEdges(smallest: 33)

    public let inputChannels: Int
    public let classes: Int
    /// Channels of local1, local2 and global after maxout.
    public let widths: [Int]
    let style: LayerStyle

    private static let pieces = 2

    /// - Parameters:
    ///   - inputChannels: at least 1.
    ///   - classes: 2 to 256, with the background.
    ///   - options: widths [64, 64, 160], batch normalisation, no dropout and a bias on the logits, where
    ///     they say nothing else. There is no hidden layer, and maxout is the activation.
    /// - Throws: ``NetworkError/option(network:key:found:expected:)``.
    public init(inputChannels: Int, classes: Int, options: NetworkOptions = NetworkOptions())
        throws(NetworkError)
    {
        (self.inputChannels, self.classes) = (inputChannels, classes)
        widths = options.widths ?? [64, 64, 160]
        style = LayerStyle(options)
        let check = OptionCheck(network: Self.name)
        try check.threeWidths(widths, options: options)
        try check.require(
            options.activation == nil, "activation", options.activation?.rawValue ?? "",
            "auto: maxout is its activation")
        try check.common(
            inputChannels: inputChannels, classes: classes, style: style,
            normalised: widths.map { Self.pieces * $0 })
    }

    public func graph(border: Int) -> Graph {
        precondition(border >= smallestBorder, "border \(border), at least \(smallestBorder)")
        var graph = Graph(inputChannels: inputChannels)
        var local = layer(graph.input, name: "local1", channels: widths[0], kernel: 7, pool: 4, in: &graph)
        local = layer(local, name: "local2", channels: widths[1], kernel: 5, pool: 2, in: &graph)
        let global = layer(
            graph.input, name: "global", channels: widths[2], kernel: 13, pool: 2, in: &graph)
        var x = graph.concatenate([local, graph.crop(global, before: 0, after: 1)])
        x = graph.dropout(graph.crop(x, border: border - smallestBorder), rate: style.dropout)
        graph.setOutput(style.logits(x, classes: classes, kernel: Size3(1, 19, 19), in: &graph))
        return graph
    }

    private func layer(
        _ x: Graph.Value, name: String, channels: Int, kernel: Int, pool: Int, in graph: inout Graph
    ) -> Graph.Value {
        let y = graph.convolution(
            x, name: "\(name).convolution", channels: Self.pieces * channels,
            kernel: Size3(1, kernel, kernel), padding: .valid, bias: style.hasBias)
        let z = graph.maxout(style.normalised(y, name: "\(name).norm", in: &graph), pieces: Self.pieces)
        return graph.maxPool(z, window: Size3(1, pool, pool), stride: 1)
    }
}
