/// The graph as it will run: normalisation and activation in one pass, dilation as layout, shortcuts added in place.
struct LoweredGraph {
    /// What is done; indices are of `layouts`.
    enum Instruction {
        case input(to: Int)
        case convolution(Graph.Convolution, from: Int, to: Int)
        /// Batch normalisation where `normalization` names it, then the activation.
        case affine(normalization: String?, activation: Graph.Activation, from: Int, to: Int)
        /// to[v] = from[v + offset]: another dilation, or a crop.
        case relayout(from: Int, to: Int, offset: Size3)
        /// `to` is `from` with the shortcut added in place.
        case add(from: Int, shortcut: Int, to: Int)

        var inputs: [Int] {
            switch self {
            case .input: return []
            case .convolution(_, let from, _), .affine(_, _, let from, _), .relayout(let from, _, _):
                return [from]
            case .add(let from, let shortcut, _): return [from, shortcut]
            }
        }

        var output: Int {
            switch self {
            case .input(let to), .convolution(_, _, let to), .affine(_, _, _, let to),
                .relayout(_, let to, _),
                .add(_, _, let to):
                return to
            }
        }
    }

    private(set) var instructions: [Instruction] = []
    private(set) var layouts: [Layout] = []
    /// The value that holds the logits, undilated.
    private(set) var output = 0

    private let graph: Graph
    private let consumers: [Int: Int]
    /// The lowered value of a graph value, and its copies in other dilations.
    private var current: [Int: Int] = [:]
    private var relaid: [Layout: [Int: Int]] = [:]

    init(_ graph: Graph, inputSize: Size3, instructionSet: InstructionSet) throws(EngineError) {
        guard let last = graph.output else { throw .noOutput }
        self.graph = graph
        var consumers: [Int: Int] = [last.index: 1]
        for input in graph.nodes.flatMap(\.operation.inputs) { consumers[input.index, default: 0] += 1 }
        self.consumers = consumers
        let sizes = try graph.sizes(inputSize: inputSize)
        for (index, node) in graph.nodes.enumerated() where consumers[index] != nil || index == 0 {
            let plain = Layout(
                channels: node.channels, size: sizes[index], dilation: 1, planar: inputSize.depth == 1,
                instructionSet: instructionSet)
            lower(index, node.operation, plain)
        }
        output = value(last, dilation: 1)
    }

    private mutating func append(_ layout: Layout, _ make: (Int) -> Instruction) -> Int {
        layouts.append(layout)
        instructions.append(make(layouts.count - 1))
        return layouts.count - 1
    }

    private mutating func lower(_ index: Int, _ operation: Graph.Operation, _ plain: Layout) {
        switch operation {
        case .input:
            current[index] = append(plain) { .input(to: $0) }
        case .convolution(let x, let convolution):
            let from = value(x, dilation: convolution.kernel.count == 1 ? nil : convolution.dilation)
            let layout = plain.with(dilation: layouts[from].dilation)
            current[index] = append(layout) { .convolution(convolution, from: from, to: $0) }
        case .batchNormalization(let x, let name):
            // The pass is emitted with the activation that follows it alone, if there is one.
            if onlyConsumerIsActivation(index) { return }
            affine(index, normalization: name, activation: .identity, of: x, plain)
        case .activation(let x, let activation):
            if case .batchNormalization(let before, let name) = graph.nodes[x.index].operation,
                consumers[x.index] == 1
            {
                affine(index, normalization: name, activation: activation, of: before, plain)
            } else {
                affine(index, normalization: nil, activation: activation, of: x, plain)
            }
        case .add(let x, let shortcut):
            var from = value(x, dilation: nil)
            let layout = layouts[from]
            if consumers[x.index] != 1 || x == shortcut {
                let kept = from
                from = append(layout) { .relayout(from: kept, to: $0, offset: Size3(0, 0, 0)) }
            }
            let other = value(shortcut, dilation: layout.dilation)
            let target = from
            current[index] = append(layout) { .add(from: target, shortcut: other, to: $0) }
        case .crop(let x, let border):
            let from = value(x, dilation: nil)
            let offset = layouts[from].size.map { plain.size[$0] == layouts[from].size[$0] ? 0 : border }
            current[index] = append(plain) { .relayout(from: from, to: $0, offset: offset) }
        }
    }

    private mutating func affine(
        _ index: Int, normalization: String?, activation: Graph.Activation, of x: Graph.Value, _ plain: Layout
    ) {
        let from = value(x, dilation: nil)
        let layout = plain.with(dilation: layouts[from].dilation)
        current[index] = append(layout) {
            .affine(normalization: normalization, activation: activation, from: from, to: $0)
        }
    }

    private func onlyConsumerIsActivation(_ index: Int) -> Bool {
        guard consumers[index] == 1 else { return false }
        return graph.nodes.contains { node in
            guard case .activation(let x, _) = node.operation else { return false }
            return x.index == index
        }
    }

    /// The lowered value of `x` in the dilation asked for, or in whatever it has.
    private mutating func value(_ x: Graph.Value, dilation: Int?) -> Int {
        guard let known = current[x.index] else {
            preconditionFailure("value \(x.index) is used before it is made")
        }
        let layout = layouts[known]
        guard let dilation, dilation != layout.dilation else { return known }
        let wanted = layout.with(dilation: dilation)
        if let copy = relaid[wanted]?[x.index] { return copy }
        let copy = append(wanted) { .relayout(from: known, to: $0, offset: Size3(0, 0, 0)) }
        relaid[wanted, default: [:]][x.index] = copy
        return copy
    }
}
