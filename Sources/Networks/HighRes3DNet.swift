import Engine
import Geometry

/// HighRes3DNet: full resolution throughout, dilation instead of pooling, residual blocks.
///
/// Citation: W. Li, G. Wang, L. Fidon, S. Ourselin, M. J. Cardoso, T. Vercauteren, "On the compactness,
/// efficiency, and representation of 3D convolutional networks: brain parcellation as a pretext task", IPMI
/// 2017.
///
///     initial   3^3 convolution, BN, activation
///     block     (BN, activation, 3^3 convolution) twice, plus the block's input
///     stages    3 blocks each at dilation 1, 2 and 4
///     hidden    1^3 convolution, BN, activation
///     logits    1^3 convolution with a bias a class, or without one and followed by BN
///
/// Zero padding keeps the size; convolutions but the last have no bias; where a block widens, its shortcut is
/// padded with zero channels symmetrically. The graph of training is cropped by 18 voxels a side before the
/// 1^3 convolutions, so that the loss is taken on the centre: 51 -> 15, 63 -> 27, 85 -> 49 (Table 1 of Sudre
/// et al. 2017) and the hidden layer's statistics are the centre's.
///
/// One input channel, two classes, the default widths; FLOPs forward, two a multiplication and addition, a
/// voxel (of the input down to stage 3, of the cropped centre below):
///
/// | layer   | channels | dilation | parameters | FLOPs     | receptive field |
/// |---------|----------|----------|------------|-----------|-----------------|
/// | initial | 16       | 1        | 464        | 864       | 3               |
/// | stage 1 | 16       | 1        | 41,664     | 82,944    | 15              |
/// | stage 2 | 32       | 2        | 152,416    | 304,128   | 39              |
/// | stage 3 | 64       | 4        | 608,960    | 1,216,512 | 87              |
/// | hidden  | 80       |          | 5,280      | 10,240    | 87              |
/// | logits  | 2        |          | 162        | 320       | 87              |
/// | all     |          |          | 808,946    | 1,615,008 | 87              |
///
/// 808,948 parameters with batch norm on the logits. Each further input channel adds 432.
public struct HighRes3DNet: Network {
    public static let name = "highres3dnet"
    /// 18 voxels a side: the paper's effective patches.
    public let border = 18
    public let smallestBorder = 0
    public let patchEdges = PatchEdges(smallest: 37)

    public let inputChannels: Int
    public let classes: Int
    /// Channels of the three stages; each at least those of the stage before.
    public let widths: [Int]
    /// Channels of the hidden 1^3 layer.
    public let hidden: Int
    public var activation: Activation { style.activation }
    public var logits: LogitsKind { style.logits }
    let style: LayerStyle

    static let blocksPerStage = 3

    /// - Parameters:
    ///   - inputChannels: at least 1.
    ///   - classes: 2 to 256, with the background.
    ///   - options: widths [16, 32, 64], hidden 80, batch normalisation, ReLU, no dropout (before the logits)
    ///     and a bias on the logits, where they say nothing else. There is no such network without
    ///     normalisation.
    /// - Throws: ``NetworkError/option(network:key:found:expected:)``.
    public init(inputChannels: Int, classes: Int, options: NetworkOptions = NetworkOptions())
        throws(NetworkError)
    {
        (self.inputChannels, self.classes) = (inputChannels, classes)
        widths = options.widths ?? [16, 32, 64]
        hidden = options.hidden ?? 80
        style = LayerStyle(options)
        let check = OptionCheck(network: Self.name)
        try check.require(
            widths.count == 3 && widths[0] >= 1 && widths == widths.sorted(), "widths", widths,
            "three positive numbers, none smaller than the one before it")
        try check.require(hidden >= 1, "hidden", hidden, "at least 1")
        try check.require(
            style.normalisation != .none, "normalisation", style.normalisation.rawValue,
            "batch, instance or group")
        try check.common(
            inputChannels: inputChannels, classes: classes, style: style, normalised: widths + [hidden])
    }

    public func graph(border: Int) -> Graph {
        precondition(border >= smallestBorder, "border \(border), at least \(smallestBorder)")
        var graph = Graph(inputChannels: inputChannels)
        var x = graph.convolution(
            graph.input, name: "initial.convolution", channels: widths[0], kernel: Size3(cube: 3))
        x = normalised(x, name: "initial", suffix: "", in: &graph)
        for stage in 0..<3 {
            for index in 1...Self.blocksPerStage {
                x = block(
                    x, name: "block\(stage * Self.blocksPerStage + index)", channels: widths[stage],
                    dilation: 1 << stage, in: &graph)
            }
        }
        x = graph.crop(x, border: border)
        x = graph.convolution(x, name: "hidden.convolution", channels: hidden, kernel: Size3(cube: 1))
        x = graph.dropout(normalised(x, name: "hidden", suffix: "", in: &graph), rate: style.dropout)
        graph.setOutput(style.logits(x, classes: classes, in: &graph))
        return graph
    }

    private func block(
        _ x: Graph.Value, name: String, channels: Int, dilation: Int, in graph: inout Graph
    ) -> Graph.Value {
        var y = x
        for index in 1...2 {
            y = normalised(y, name: name, suffix: "\(index)", in: &graph)
            y = graph.convolution(
                y, name: "\(name).convolution\(index)", channels: channels, kernel: Size3(cube: 3),
                dilation: dilation)
        }
        return graph.add(y, shortcut: x)
    }

    private func normalised(
        _ x: Graph.Value, name: String, suffix: String, in graph: inout Graph
    ) -> Graph.Value {
        let y = style.normalised(x, name: "\(name).norm\(suffix)", in: &graph)
        return style.activated(y, name: "\(name).activation\(suffix)", in: &graph)
    }
}
