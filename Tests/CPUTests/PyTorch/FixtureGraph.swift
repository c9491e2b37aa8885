import CPU
import Engine
import Geometry
import Losses
import Networks

extension FixtureCase {
    var inputSize: Size3 { Size3(size[0], size[1], size[2]) }

    func makeLoss() throws -> any SegmentationLoss {
        let pooling = try known(Pooling(rawValue: pooling), pooling)
        switch loss {
        case nil:
            return GeneralisedDiceLoss(
                weights: try known(GeneralisedDiceLoss.Weights(rawValue: weights), weights), pooling: pooling)
        case "wce": return WeightedCrossEntropy(pooling: pooling)
        case "dl2": return DiceLoss(pooling: pooling)
        case "ss": return SensitivitySpecificityLoss(pooling: pooling)
        case .some(let name): throw FixtureError(fixture: self.name, unknown: name)
        }
    }

    func graph() throws -> Graph {
        if let network {
            let options = NetworkOptions(
                widths: network.widths, hidden: network.hidden,
                normalisation: try network.normalisation.map { try known(Normalisation(rawValue: $0), $0) },
                groups: network.groups,
                activation: network.name == TwoPathCNN.name
                    ? nil : try known(Activation(rawValue: network.activation), network.activation),
                // PyTorch's would drop others.
                dropout: 0,
                logits: try known(LogitsKind(rawValue: network.logits), network.logits))
            return try NetworkRegistry.network(
                named: network.name, inputChannels: channels, classes: classes, options: options
            ).graph(border: network.border)
        }
        var graph = Graph(inputChannels: channels)
        var values = ["input": graph.input]
        for operation in operations {
            let y = try append(operation, to: try known(values[operation.x], operation.x), values, &graph)
            values[operation.y] = y
            graph.setOutput(y)
        }
        return graph
    }

    private func append(
        _ operation: Operation, to x: Graph.Value, _ values: [String: Graph.Value], _ graph: inout Graph
    ) throws -> Graph.Value {
        switch operation.kind {
        case "convolution":
            return graph.convolution(
                x, name: operation.y, channels: try known(operation.channels, "channels"),
                kernel: try kernel(operation),
                dilation: try known(operation.dilation, "dilation"),
                padding: try known(operation.padding.flatMap(Graph.Padding.init(rawValue:)), "padding"),
                bias: try known(operation.bias, "bias"))
        case "batch_norm": return graph.batchNormalisation(x, name: operation.y)
        case "relu": return graph.relu(x)
        case "prelu": return graph.prelu(x, name: operation.y)
        case "add": return graph.add(x, shortcut: try known(values[operation.shortcut ?? ""], "shortcut"))
        case "subsample": return graph.subsample(x, step: try known(operation.border, "step"))
        case "upsample": return graph.upsample(x, factor: try known(operation.border, "factor"))
        case "concatenate":
            return graph.concatenate([x, try known(values[operation.shortcut ?? ""], "other")])
        case "crop":
            let border = try known(operation.border, "border")
            return graph.crop(x, before: border, after: operation.after ?? border)
        case "instance_norm": return graph.instanceNormalisation(x, name: operation.y)
        case "group_norm":
            return graph.groupNormalisation(
                x, name: operation.y, groups: try known(operation.border, "groups"))
        case "max_pool":
            return graph.maxPool(
                x, window: try kernel(operation), stride: try known(operation.border, "stride"))
        case "maxout": return graph.maxout(x, pieces: try known(operation.border, "pieces"))
        case "transposed_convolution":
            let factor = try known(operation.border, "factor")
            return graph.transposedConvolution(
                x, name: operation.y, channels: try known(operation.channels, "channels"),
                kernel: Size3(size[0] == 1 ? 1 : factor, factor, factor))
        default: throw FixtureError(fixture: name, unknown: operation.kind)
        }
    }

    private func kernel(_ operation: Operation) throws -> Size3 {
        let kernel = try known(operation.kernel, "kernel")
        return Size3(kernel[0], kernel[1], kernel[2])
    }

    private func known<T>(_ value: T?, _ what: String) throws -> T {
        guard let value else { throw FixtureError(fixture: name, unknown: what) }
        return value
    }
}

/// A fixture says what the tests do not understand.
struct FixtureError: Error {
    let fixture, unknown: String
}

/// sqrt(sum (found - expected)^2 / sum expected^2)
func relativeError(_ found: some Sequence<Float>, _ expected: some Sequence<Float>) -> Double {
    var (difference, norm) = (0.0, 0.0)
    for (x, y) in zip(found, expected) {
        difference += (Double(x) - Double(y)) * (Double(x) - Double(y))
        norm += Double(y) * Double(y)
    }
    return difference == 0 ? 0 : (difference / norm).squareRoot()
}
