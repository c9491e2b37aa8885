import Engine
import Geometry

/// The choices that networks have in common, and the layers that follow from them.
struct LayerStyle: Hashable, Sendable {
    var normalisation = Normalisation.batch
    var groups = 8
    var activation = Activation.relu
    var dropout = 0.0
    var logits = LogitsKind.bias

    /// - Parameter defaults: What the architecture has where the options say nothing.
    init(_ options: NetworkOptions, defaults: LayerStyle = LayerStyle()) {
        normalisation = options.normalisation ?? defaults.normalisation
        groups = options.groups ?? defaults.groups
        activation = options.activation ?? defaults.activation
        dropout = options.dropout ?? defaults.dropout
        logits = options.logits ?? defaults.logits
    }

    init(activation: Activation = .relu, dropout: Double = 0) {
        (self.activation, self.dropout) = (activation, dropout)
    }

    /// Whether convolutions need a bias of their own.
    var hasBias: Bool { normalisation == .none }

    func normalised(_ x: Graph.Value, name: String, in graph: inout Graph) -> Graph.Value {
        switch normalisation {
        case .batch: graph.batchNormalisation(x, name: name)
        case .instance: graph.instanceNormalisation(x, name: name)
        case .group: graph.groupNormalisation(x, name: name, groups: groups)
        case .none: x
        }
    }

    func activated(_ x: Graph.Value, name: String, in graph: inout Graph) -> Graph.Value {
        switch activation {
        case .relu: graph.relu(x)
        case .prelu: graph.prelu(x, name: name)
        }
    }

    /// Valid convolution `name.convolution<suffix>`, normalisation and activation.
    func unit(
        _ x: Graph.Value, name: String, suffix: String = "", channels: Int, kernel: Size3,
        in graph: inout Graph
    ) -> Graph.Value {
        units([(x, name)], suffix: suffix, channels: channels, kernel: kernel, in: &graph)[0]
    }

    /// The same of several inputs that do not depend on each other, in turns: while one computes, the
    /// statistics of another's batch normalisation are under way.
    func units(
        _ inputs: [(x: Graph.Value, name: String)], suffix: String = "", channels: Int, kernel: Size3,
        in graph: inout Graph
    ) -> [Graph.Value] {
        let convolved = inputs.map { x, name in
            graph.convolution(
                x, name: "\(name).convolution\(suffix)", channels: channels, kernel: kernel, padding: .valid,
                bias: hasBias)
        }
        return zip(convolved, inputs).map { y, input in
            activated(
                normalised(y, name: "\(input.name).norm\(suffix)", in: &graph),
                name: "\(input.name).activation\(suffix)", in: &graph)
        }
    }

    /// The last convolution, `logits.convolution`, and what follows it.
    func logits(
        _ x: Graph.Value, classes: Int, kernel: Size3 = Size3(cube: 1), in graph: inout Graph
    ) -> Graph.Value {
        let y = graph.convolution(
            x, name: "logits.convolution", channels: classes, kernel: kernel, padding: .valid,
            bias: logits == .bias)
        return logits == .bias ? y : graph.batchNormalisation(y, name: "logits.norm")
    }
}

/// Checks the numbers that a network is made with.
struct OptionCheck {
    let network: String

    /// - Throws: ``NetworkError/option(network:key:found:expected:)`` unless the condition holds.
    func require(
        _ holds: Bool, _ key: String, _ found: some CustomStringConvertible, _ expected: String
    ) throws(NetworkError) {
        if !holds { throw .option(network: network, key: key, found: "\(found)", expected: expected) }
    }

    /// Of networks that have three widths and no hidden layer.
    func threeWidths(_ widths: [Int], options: NetworkOptions) throws(NetworkError) {
        try require(
            widths.count == 3 && widths.allSatisfy { $0 >= 1 }, "widths", widths, "three positive numbers")
        try require(options.hidden == nil, "hidden", options.hidden ?? 0, "auto: it has no hidden layer")
    }

    /// What every network needs, and that groups divide the channels of each normalised layer.
    func common(inputChannels: Int, classes: Int, style: LayerStyle, normalised: [Int]) throws(NetworkError) {
        try require(inputChannels >= 1, "channels", inputChannels, "at least 1")
        try require(2...256 ~= classes, "classes", classes, "2 to 256")
        try require(0 <= style.dropout && style.dropout < 1, "dropout", style.dropout, "0 to below 1")
        guard style.normalisation == .group else { return }
        try require(style.groups >= 1, "groups", style.groups, "at least 1")
        for width in normalised where width % style.groups != 0 {
            throw .option(
                network: network, key: "groups", found: "\(style.groups)",
                expected: "a number that divides the channels of every normalised layer, \(width) among them")
        }
    }
}
