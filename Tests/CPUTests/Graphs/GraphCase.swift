import Geometry

@testable import CPU
@testable import Engine

/// A graph with all that a step on it needs, as a value that can be printed and made smaller.
struct GraphCase: CustomStringConvertible {
    /// Value 0 is the input, value i + 1 the result of operation i.
    enum Operation: Hashable {
        case convolution(Int, channels: Int, kernel: Size3, dilation: Int, padding: Graph.Padding, bias: Bool)
        case transposed(Int, channels: Int, kernel: Size3)
        case batchNorm(Int)
        case instanceNorm(Int)
        case groupNorm(Int, groups: Int)
        case relu(Int)
        case prelu(Int)
        case add(Int, shortcut: Int)
        case crop(Int, before: Int, after: Int)
        case subsample(Int, step: Int)
        case upsample(Int, factor: Int)
        case concatenate([Int])
        case maxPool(Int, window: Size3, stride: Int)
        case maxout(Int, pieces: Int)
        /// In percent.
        case dropout(Int, rate: Int)

        var inputs: [Int] {
            switch self {
            case .convolution(let x, _, _, _, _, _), .transposed(let x, _, _), .batchNorm(let x),
                .instanceNorm(let x), .groupNorm(let x, _), .relu(let x), .prelu(let x),
                .crop(let x, _, _), .subsample(let x, _), .upsample(let x, _), .maxPool(let x, _, _),
                .maxout(let x, _), .dropout(let x, _):
                return [x]
            case .add(let x, let shortcut): return [x, shortcut]
            case .concatenate(let values): return values
            }
        }

        /// The same operation on other values.
        func reading(_ map: (Int) -> Int) -> Operation {
            switch self {
            case .convolution(let x, let channels, let kernel, let dilation, let padding, let bias):
                return .convolution(
                    map(x), channels: channels, kernel: kernel, dilation: dilation, padding: padding,
                    bias: bias)
            case .transposed(let x, let channels, let kernel):
                return .transposed(map(x), channels: channels, kernel: kernel)
            case .batchNorm(let x): return .batchNorm(map(x))
            case .instanceNorm(let x): return .instanceNorm(map(x))
            case .groupNorm(let x, let groups): return .groupNorm(map(x), groups: groups)
            case .relu(let x): return .relu(map(x))
            case .prelu(let x): return .prelu(map(x))
            case .add(let x, let shortcut): return .add(map(x), shortcut: map(shortcut))
            case .crop(let x, let before, let after): return .crop(map(x), before: before, after: after)
            case .subsample(let x, let step): return .subsample(map(x), step: step)
            case .upsample(let x, let factor): return .upsample(map(x), factor: factor)
            case .concatenate(let values): return .concatenate(values.map(map))
            case .maxPool(let x, let window, let stride):
                return .maxPool(map(x), window: window, stride: stride)
            case .maxout(let x, let pieces): return .maxout(map(x), pieces: pieces)
            case .dropout(let x, let rate): return .dropout(map(x), rate: rate)
            }
        }
    }

    struct Shape: Hashable {
        var channels: Int
        var size: Size3
    }

    var seed: Int
    var inputChannels: Int
    var inputSize: Size3
    var slots: Int
    var operations: [Operation] = []
    var loss = ReferenceLoss.generalisedDice(.square, .niftynet)
    var pooling = Pooling.image
    var isSoft = false

    /// The shapes of all values; nil where an operation does not fit what it reads.
    var shapes: [Shape]? {
        var shapes = [Shape(channels: inputChannels, size: inputSize)]
        for operation in operations {
            guard let shape = shape(of: operation, shapes) else { return nil }
            shapes.append(shape)
        }
        return shapes
    }

    func shape(of operation: Operation, _ known: [Shape]) -> Shape? {
        guard operation.inputs.allSatisfy({ (0..<known.count).contains($0) }),
            let first = operation.inputs.first
        else { return nil }
        let x = known[first]
        func with(_ channels: Int? = nil, _ axis: (Int) -> Int) -> Shape? {
            let size = Size3(axis)
            guard (0..<3).allSatisfy({ size[$0] > 0 }) else { return nil }
            return Shape(channels: channels ?? x.channels, size: size)
        }
        switch operation {
        case .convolution(_, let channels, let kernel, let dilation, let padding, _):
            guard padding == .valid else {
                let isOdd = (0..<3).allSatisfy { kernel[$0] % 2 == 1 }
                return isOdd ? with(channels) { x.size[$0] } : nil
            }
            return with(channels) { x.size[$0] - dilation * (kernel[$0] - 1) }
        case .transposed(_, let channels, let kernel): return with(channels) { x.size[$0] * kernel[$0] }
        case .groupNorm(_, let groups): return x.channels % groups == 0 ? x : nil
        case .batchNorm, .instanceNorm, .relu, .prelu, .dropout: return x
        case .add(_, let shortcut):
            let other = known[shortcut]
            return other.size == x.size && other.channels <= x.channels ? x : nil
        case .crop(_, let before, let after):
            return with { x.size[$0] > 1 ? x.size[$0] - before - after : 1 }
        case .subsample(_, let step):
            guard (0..<3).allSatisfy({ x.size[$0] == 1 || x.size[$0] % step == 0 }) else { return nil }
            return with { x.size[$0] > 1 ? x.size[$0] / step : 1 }
        case .upsample(_, let factor):
            return with { inputSize[$0] == 1 && x.size[$0] == 1 ? 1 : x.size[$0] * factor }
        case .concatenate(let values):
            let parts = values.map { known[$0] }
            guard parts.allSatisfy({ $0.size == x.size }) else { return nil }
            return Shape(channels: parts.reduce(0) { $0 + $1.channels }, size: x.size)
        case .maxPool(_, let window, let stride):
            guard (0..<3).allSatisfy({ window[$0] <= x.size[$0] }) else { return nil }
            return with { (x.size[$0] - window[$0]) / (window[$0] > 1 ? stride : 1) + 1 }
        case .maxout(_, let pieces):
            return x.channels % pieces == 0 ? with(x.channels / pieces) { x.size[$0] } : nil
        }
    }

    /// The logits are the last value.
    func graph() -> Graph {
        var graph = Graph(inputChannels: inputChannels)
        var values = [graph.input]
        for (index, operation) in operations.enumerated() {
            let name = "o\(index + 1)"
            let x = values[operation.inputs[0]]
            switch operation {
            case .convolution(_, let channels, let kernel, let dilation, let padding, let bias):
                values.append(
                    graph.convolution(
                        x, name: name, channels: channels, kernel: kernel, dilation: dilation,
                        padding: padding, bias: bias))
            case .transposed(_, let channels, let kernel):
                values.append(graph.transposedConvolution(x, name: name, channels: channels, kernel: kernel))
            case .batchNorm: values.append(graph.batchNormalisation(x, name: name))
            case .instanceNorm: values.append(graph.instanceNormalisation(x, name: name))
            case .groupNorm(_, let groups):
                values.append(graph.groupNormalisation(x, name: name, groups: groups))
            case .relu: values.append(graph.relu(x))
            case .prelu: values.append(graph.prelu(x, name: name))
            case .add(_, let shortcut): values.append(graph.add(x, shortcut: values[shortcut]))
            case .crop(_, let before, let after):
                values.append(graph.crop(x, before: before, after: after))
            case .subsample(_, let step): values.append(graph.subsample(x, step: step))
            case .upsample(_, let factor): values.append(graph.upsample(x, factor: factor))
            case .concatenate(let parts): values.append(graph.concatenate(parts.map { values[$0] }))
            case .maxPool(_, let window, let stride):
                values.append(graph.maxPool(x, window: window, stride: stride))
            case .maxout(_, let pieces): values.append(graph.maxout(x, pieces: pieces))
            case .dropout(_, let rate): values.append(graph.dropout(x, rate: Double(rate) / 100))
            }
        }
        graph.setOutput(values[values.count - 1])
        return graph
    }

    /// There is nothing to train without.
    var hasParameters: Bool { !Parameters(graph: graph()).parameters.entries.isEmpty }

    var hasBatchNorm: Bool { operations.contains { if case .batchNorm = $0 { true } else { false } } }

    var hasUnreadValues: Bool { pruned.operations.count < operations.count }

    /// Without what the last value does not depend on.
    var pruned: GraphCase {
        var isRead: Set<Int> = [operations.count]
        for index in stride(from: operations.count, to: 0, by: -1) where isRead.contains(index) {
            isRead.formUnion(operations[index - 1].inputs)
        }
        var (numbers, kept) = ([0: 0], [Operation]())
        for (index, operation) in operations.enumerated() where isRead.contains(index + 1) {
            kept.append(operation.reading { numbers[$0] ?? 0 })
            numbers[index + 1] = kept.count
        }
        var other = self
        other.operations = kept
        return other
    }

    /// As Swift, to be pasted into a test.
    var description: String {
        let lines = operations.enumerated().map { "  \($0 + 1) = \($1)" }
        return
            "seed \(seed): \(slots) slots of \(inputChannels) channels x \(inputSize), loss \(loss), pooling \(pooling)"
            + (isSoft ? ", soft reference" : "") + "\n" + lines.joined(separator: "\n")
    }
}

extension GraphCase.Operation: CustomStringConvertible {
    var description: String {
        switch self {
        case .convolution(let x, let channels, let kernel, let dilation, let padding, let bias):
            "convolution(\(x)) to \(channels) channels, \(kernel), dilation \(dilation), \(padding)"
                + (bias ? ", bias" : "")
        case .transposed(let x, let channels, let kernel):
            "transposedConvolution(\(x)) to \(channels) channels, \(kernel)"
        case .batchNorm(let x): "batchNormalisation(\(x))"
        case .instanceNorm(let x): "instanceNormalisation(\(x))"
        case .groupNorm(let x, let groups): "groupNormalisation(\(x), groups: \(groups))"
        case .relu(let x): "relu(\(x))"
        case .prelu(let x): "prelu(\(x))"
        case .add(let x, let shortcut): "add(\(x), shortcut: \(shortcut))"
        case .crop(let x, let before, let after): "crop(\(x), before: \(before), after: \(after))"
        case .subsample(let x, let step): "subsample(\(x), step: \(step))"
        case .upsample(let x, let factor): "upsample(\(x), factor: \(factor))"
        case .concatenate(let values): "concatenate(\(values))"
        case .maxPool(let x, let window, let stride): "maxPool(\(x), window: \(window), stride: \(stride))"
        case .maxout(let x, let pieces): "maxout(\(x), pieces: \(pieces))"
        case .dropout(let x, let rate): "dropout(\(x), rate: \(rate) %)"
        }
    }
}
