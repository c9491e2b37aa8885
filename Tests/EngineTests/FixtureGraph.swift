import Engine
import Losses
import Networks
import Testing

extension FixtureCase {
    var inputSize: Size3 { Size3(size[0], size[1], size[2]) }

    func loss() throws -> GeneralisedDiceLoss {
        GeneralisedDiceLoss(
            weights: try #require(GeneralisedDiceLoss.Weights(rawValue: weights)),
            pooling: try #require(Pooling(rawValue: pooling)))
    }

    func graph() throws -> Graph {
        if let network {
            let options = NetworkOptions(
                activation: try #require(Activation(rawValue: network.activation)),
                logits: try #require(LogitsKind(rawValue: network.logits)))
            return try NetworkRegistry.network(
                named: network.name, inputChannels: channels, classes: classes, options: options
            ).graph(border: network.border)
        }
        var graph = Graph(inputChannels: channels)
        var values = ["input": graph.input]
        for operation in operations {
            let x = try #require(values[operation.x])
            let y = try append(operation, to: x, values, &graph)
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
            let kernel = try #require(operation.kernel)
            return graph.convolution(
                x, name: operation.y, channels: try #require(operation.channels),
                kernel: Size3(kernel[0], kernel[1], kernel[2]), dilation: try #require(operation.dilation),
                padding: operation.padding == "same" ? .same : .valid, bias: try #require(operation.bias))
        case "batch_norm": return graph.batchNormalization(x, name: operation.y)
        case "relu": return graph.relu(x)
        case "prelu": return graph.prelu(x, name: operation.y)
        case "add": return graph.add(x, shortcut: try #require(values[try #require(operation.shortcut)]))
        case "crop": return graph.crop(x, border: try #require(operation.border))
        default: throw UnknownOperation(kind: operation.kind)
        }
    }
}

struct UnknownOperation: Error { let kind: String }

/// sqrt(sum (found - expected)^2 / sum expected^2)
func relativeError(_ found: some Sequence<Float>, _ expected: some Sequence<Float>) -> Double {
    var (difference, norm) = (0.0, 0.0)
    for (x, y) in zip(found, expected) {
        difference += (Double(x) - Double(y)) * (Double(x) - Double(y))
        norm += Double(y) * Double(y)
    }
    return difference == 0 ? 0 : (difference / norm).squareRoot()
}
