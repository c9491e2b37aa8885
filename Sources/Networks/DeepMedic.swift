import Engine
import Geometry

/// DeepMedic: two paths of valid convolutions, one on the centre at full resolution and one on a threefold
/// coarser view of the whole patch.
///
/// Citation: K. Kamnitsas, C. Ledig, V. Newcombe, J. Simpson, A. Kane, D. Menon, D. Rueckert, B. Glocker,
/// "Efficient multi-scale 3D CNN with fully connected CRF for accurate brain lesion segmentation", Medical
/// Image Analysis 2017.
///
///     fine     crop by 16; eight times 3^3 convolution, BN, activation
///     coarse   every third voxel; the same; each voxel three times along each axis
///     hidden   both side by side; twice 1^3 convolution, BN, activation
///     logits   1^3 convolution with a bias a class, or without one and followed by BN
///
/// An input of n voxels, a multiple of 3, gives 3 (n/3 - 16): 51 -> 3, 63 -> 15, 87 -> 39 (Table 1 of Sudre
/// et al. 2017). Convolutions but the last have no bias. The paths do not share parameters. Each hidden layer
/// is followed by dropout, as in the original.
///
/// One input channel, two classes, the default widths: 657,842 parameters. Each further input channel adds
/// 1,620.
public struct DeepMedic: Network {
    public static let name = "deepmedic"
    public let border = 24
    public let smallestBorder = 24
    public let patchEdges = PatchEdges(smallest: 51, step: 3)

    public let inputChannels: Int
    public let classes: Int
    /// Channels of the convolutions of each path.
    public let widths: [Int]
    /// Channels of the two hidden layers.
    public let hidden: Int
    public var activation: Activation { style.activation }
    public var logits: LogitsKind { style.logits }
    let style: LayerStyle

    /// Convolutions of a path.
    static let depth = 8
    /// Voxels of the input for one of the coarse path.
    static let factor = 3
    /// What the coarse path sees beyond the fine one, a side: (factor - 1) times what the convolutions take.
    static let margin = (factor - 1) * depth

    /// - Parameters:
    ///   - inputChannels: at least 1.
    ///   - classes: 2 to 256, with the background.
    ///   - options: widths [30, 30, 40, 40, 40, 40, 50, 50], hidden 150, batch normalisation, PReLU, dropout
    ///     0.5 and a bias on the logits, where they say nothing else.
    /// - Throws: ``NetworkError/option(network:key:found:expected:)``.
    public init(inputChannels: Int, classes: Int, options: NetworkOptions = NetworkOptions())
        throws(NetworkError)
    {
        (self.inputChannels, self.classes) = (inputChannels, classes)
        widths = options.widths ?? [30, 30, 40, 40, 40, 40, 50, 50]
        hidden = options.hidden ?? 150
        style = LayerStyle(options, defaults: LayerStyle(activation: .prelu, dropout: 0.5))
        let check = OptionCheck(network: Self.name)
        try check.require(
            widths.count == Self.depth && widths.allSatisfy { $0 >= 1 }, "widths", widths,
            "\(Self.depth) positive numbers")
        try check.require(hidden >= 1, "hidden", hidden, "at least 1")
        try check.common(
            inputChannels: inputChannels, classes: classes, style: style, normalised: widths + [hidden])
    }

    public func graph(border: Int) -> Graph {
        precondition(border >= smallestBorder, "border \(border), at least \(smallestBorder)")
        var graph = Graph(inputChannels: inputChannels)
        var paths = [
            graph.crop(graph.input, border: Self.margin), graph.subsample(graph.input, step: Self.factor),
        ]
        for (index, width) in widths.enumerated() {
            let names = ["fine\(index + 1)", "coarse\(index + 1)"]
            paths = style.units(
                Array(zip(paths, names)), channels: width, kernel: Size3(cube: 3), in: &graph)
        }
        var x = graph.concatenate([paths[0], graph.upsample(paths[1], factor: Self.factor)])
        x = graph.crop(x, border: border - smallestBorder)
        for index in 1...2 {
            x = style.unit(
                x, name: "hidden\(index)", channels: hidden, kernel: Size3(cube: 1), in: &graph)
            x = graph.dropout(x, rate: style.dropout)
        }
        graph.setOutput(style.logits(x, classes: classes, in: &graph))
        return graph
    }
}
