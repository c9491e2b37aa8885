import Engine
import Geometry

/// U-Net on slices: valid convolutions, two poolings.
///
/// Citation: O. Ronneberger, P. Fischer, T. Brox, "U-Net: Convolutional networks for biomedical image
/// segmentation", MICCAI 2015; with two poolings instead of four, which gives the effective patches of Sudre
/// et al. 2017.
///
///     down1     twice 3^2 convolution, BN, activation; then the maximum of each 2^2
///     down2     the same
///     bottom    twice 3^2 convolution, BN, activation
///     up2, up1  transposed convolution of 2^2; the centre of down2 (down1) beside it; twice 3^2 convolution,
///     BN, activation logits    1^2 convolution with a bias a class, or without one and followed by BN
///
/// An input of n voxels an axis, a multiple of 4, gives n - 40: 56 -> 16, 64 -> 24, 88 -> 48 (Table 1 of
/// Sudre et al. 2017). Convolutions before BN have no bias, nor have the transposed ones: what follows them
/// would take it out again. Dropout, where it is configured, stands behind `bottom`.
///
/// One input channel, two classes, the default widths:
///
/// | layer  | channels | parameters | receptive field |
/// |--------|----------|------------|-----------------|
/// | down1  | 64       | 37,696     | 5               |
/// | down2  | 128      | 221,696    | 14              |
/// | bottom | 256      | 885,760    | 32              |
/// | up2    | 128      | 573,952    | 40              |
/// | up1    | 64       | 143,616    | 44              |
/// | logits | 2        | 130        | 44              |
/// | all    |          | 1,862,850  | 44              |
///
/// Each further input channel adds 576.
public struct UNet: Network {
    public static let name = "unet"
    public static let isPlanar = true
    public let border = 20
    public let smallestBorder = 20
    public let patchEdges = PatchEdges(smallest: 44, step: 4)

    public let inputChannels: Int
    public let classes: Int
    /// Channels of each level, the finest first.
    public let widths: [Int]
    let style: LayerStyle

    private static let kernel = Size3(1, 3, 3), pool = Size3(1, 2, 2)

    /// - Parameters:
    ///   - inputChannels: at least 1.
    ///   - classes: 2 to 256, with the background.
    ///   - options: widths [64, 128, 256], batch normalisation, ReLU, no dropout and a bias on the logits,
    ///     where they say nothing else. There is no hidden layer.
    /// - Throws: ``NetworkError/option(network:key:found:expected:)``.
    public init(inputChannels: Int, classes: Int, options: NetworkOptions = NetworkOptions())
        throws(NetworkError)
    {
        (self.inputChannels, self.classes) = (inputChannels, classes)
        widths = options.widths ?? [64, 128, 256]
        style = LayerStyle(options)
        let check = OptionCheck(network: Self.name)
        try check.threeWidths(widths, options: options)
        try check.common(inputChannels: inputChannels, classes: classes, style: style, normalised: widths)
    }

    public func graph(border: Int) -> Graph {
        precondition(border >= smallestBorder, "border \(border), at least \(smallestBorder)")
        var graph = Graph(inputChannels: inputChannels)
        let fine = level(graph.input, name: "down1", channels: widths[0], in: &graph)
        let middle = level(
            graph.maxPool(fine, window: Self.pool, stride: 2), name: "down2", channels: widths[1], in: &graph)
        var x = level(
            graph.maxPool(middle, window: Self.pool, stride: 2), name: "bottom", channels: widths[2],
            in: &graph)
        x = graph.dropout(x, rate: style.dropout)
        // What the convolutions below a level take off a side, in its voxels.
        x = up(x, beside: graph.crop(middle, border: 4), name: "up2", channels: widths[1], in: &graph)
        x = up(x, beside: graph.crop(fine, border: 16), name: "up1", channels: widths[0], in: &graph)
        x = graph.crop(x, border: border - smallestBorder)
        graph.setOutput(style.logits(x, classes: classes, in: &graph))
        return graph
    }

    private func level(
        _ x: Graph.Value, name: String, channels: Int, in graph: inout Graph
    ) -> Graph.Value {
        let y = style.unit(
            x, name: name, suffix: "1", channels: channels, kernel: Self.kernel, in: &graph)
        return style.unit(y, name: name, suffix: "2", channels: channels, kernel: Self.kernel, in: &graph)
    }

    private func up(
        _ x: Graph.Value, beside skip: Graph.Value, name: String, channels: Int, in graph: inout Graph
    ) -> Graph.Value {
        let larger = graph.transposedConvolution(
            x, name: "\(name).upsample", channels: channels, kernel: Self.pool)
        return level(graph.concatenate([skip, larger]), name: name, channels: channels, in: &graph)
    }
}
