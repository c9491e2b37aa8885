import Engine
import Geometry

/// The graph as it will run: normalisation and activation in one pass, dilation as layout, shortcuts added in
/// place.
struct LoweredGraph {
    /// What is done; indices are of `layouts`.
    enum Instruction {
        case input(to: Int)
        case convolution(Graph.Convolution, from: Int, to: Int)
        /// The normalisation, if there is one, then the activation.
        case affine(normalisation: Graph.Normalisation?, activation: Graph.Activation, from: Int, to: Int)
        /// to[v] = from[map(v)]: another order, a crop, a coarser or a finer grid.
        case relayout(from: Int, to: Int, map: VoxelMap)
        /// The channels of one value after those of the other.
        case concatenate(from: [Int], to: Int)
        /// `to` is `from` with the shortcut added in place.
        case add(from: Int, shortcut: Int, to: Int)
        case grid(GridOperation, from: Int, to: Int)

        var inputs: [Int] {
            switch self {
            case .input: return []
            case .convolution(_, let from, _), .affine(_, _, let from, _), .relayout(let from, _, _),
                .grid(_, let from, _):
                return [from]
            case .add(let from, let shortcut, _): return [from, shortcut]
            case .concatenate(let from, _): return from
            }
        }

        var output: Int {
            switch self {
            case .input(let to), .convolution(_, _, let to), .affine(_, _, _, let to),
                .relayout(_, let to, _), .concatenate(_, let to), .add(_, _, let to), .grid(_, _, let to):
                return to
            }
        }
    }

    /// Instruction i makes the value i.
    private(set) var instructions: [Instruction] = []
    /// By value: the instructions that read it, in their order.
    private(set) var readers: [[Int]] = []
    /// By value.
    private(set) var layouts: [Layout] = []
    /// The value that holds the logits, undilated.
    private(set) var output = 0

    private let graph: Graph
    private let consumers: [Int: Int]
    /// Whether a graph value is a slice, as the input and all that lies between them.
    private var planar: [Int: Bool] = [:]
    /// The lowered value of a graph value, and its copies in other orders.
    private var current: [Int: Int] = [:]
    private var relaid: [Int: [Int]] = [:]

    init(_ graph: Graph, inputSize: Size3, instructionSet: InstructionSet) throws(EngineError) {
        guard let last = graph.output else { throw .noOutput }
        self.graph = graph
        var consumers: [Int: Int] = [last.index: 1]
        for input in graph.nodes.flatMap(\.operation.inputs) { consumers[input.index, default: 0] += 1 }
        self.consumers = consumers
        let sizes = try graph.sizes(inputSize: inputSize)
        for (index, node) in graph.nodes.enumerated() where consumers[index] != nil || index == 0 {
            let isPlanar = isPlanar(node.operation, sizes[index])
            planar[index] = isPlanar
            let plain = Layout(
                channels: node.channels, size: sizes[index], dilation: 1, gap: Size3(0, 0, 0),
                planar: isPlanar, instructionSet: instructionSet)
            lower(index, node.operation, plain)
        }
        output = value(last, .plain)
    }

    private mutating func append(_ layout: Layout, _ make: (Int) -> Instruction) -> Int {
        let (value, instruction) = (layouts.count, make(layouts.count))
        for input in instruction.inputs { readers[input].append(value) }
        layouts.append(layout)
        instructions.append(instruction)
        readers.append([])
        return value
    }

    private func isPlanar(_ operation: Graph.Operation, _ size: Size3) -> Bool {
        switch operation {
        // The sum takes the first term's place.
        case .add(let x, _): planar[x.index] == true
        default: size.depth == 1 && operation.inputs.allSatisfy { planar[$0.index] == true }
        }
    }

    private mutating func lower(_ index: Int, _ operation: Graph.Operation, _ plain: Layout) {
        switch operation {
        case .input:
            current[index] = append(plain) { .input(to: $0) }
        case .convolution(let x, let convolution):
            let from = value(x, Order(of: convolution))
            let order = Order(after: convolution, of: layouts[from])
            current[index] = append(plain.with(dilation: order.dilation, gap: order.gap)) {
                .convolution(convolution, from: from, to: $0)
            }
        case .normalisation(let x, let normalisation):
            // The pass is emitted with the activation that follows it alone, if there is one.
            if onlyConsumerIsActivation(index) { return }
            affine(index, normalisation: normalisation, activation: .identity, of: x, plain)
        case .activation(let x, let activation):
            if case .normalisation(let before, let normalisation) = graph.nodes[x.index].operation,
                consumers[x.index] == 1
            {
                affine(index, normalisation: normalisation, activation: activation, of: before, plain)
            } else {
                affine(index, normalisation: nil, activation: activation, of: x, plain)
            }
        case .add(let x, let shortcut):
            var from = value(x)
            let layout = layouts[from]
            if consumers[x.index] != 1 || x == shortcut {
                let kept = from
                from = append(layout) { .relayout(from: kept, to: $0, map: VoxelMap()) }
            }
            let other = value(shortcut, Order(exactly: layout))
            let target = from
            current[index] = append(layout) { .add(from: target, shortcut: other, to: $0) }
        case .crop(let x, let before, _):
            let from = value(x)
            let offset = Size3 { plain.size[$0] == layouts[from].size[$0] ? 0 : before }
            current[index] = append(plain) { .relayout(from: from, to: $0, map: VoxelMap(offset: offset)) }
        case .subsample(let x, let step):
            let from = value(x)
            let steps = Size3 { layouts[from].size[$0] == 1 ? 1 : step }
            let map = VoxelMap(offset: Size3 { steps[$0] / 2 }, step: steps)
            current[index] = append(plain) { .relayout(from: from, to: $0, map: map) }
        case .upsample(let x, _):
            let from = value(x)
            let map = VoxelMap(repeats: Size3 { plain.size[$0] / layouts[from].size[$0] })
            current[index] = append(plain) { .relayout(from: from, to: $0, map: map) }
        case .concatenate(let values):
            let from = values.map { value($0, .plain) }
            current[index] = append(plain) { .concatenate(from: from, to: $0) }
        case .maxPool(let x, let pooling):
            grid(index, .maxPool(pooling), of: x, order: .plain, plain)
        case .maxout(let x, let pieces):
            grid(index, .maxout(pieces: pieces), of: x, plain)
        case .dropout(let x, let dropout):
            grid(index, .dropout(dropout), of: x, plain)
        }
    }

    private mutating func grid(
        _ index: Int, _ operation: GridOperation, of x: Graph.Value, order: Order? = nil, _ plain: Layout
    ) {
        let from = value(x, order)
        let layout = plain.with(dilation: layouts[from].dilation, gap: layouts[from].gap)
        current[index] = append(layout) { .grid(operation, from: from, to: $0) }
    }

    private mutating func affine(
        _ index: Int, normalisation: Graph.Normalisation?, activation: Graph.Activation, of x: Graph.Value,
        _ plain: Layout
    ) {
        // The pass runs in its reader's order: a move before it can be shared with the shortcut's.
        let from = value(x, consumerOrder(index))
        let layout = plain.with(dilation: layouts[from].dilation, gap: layouts[from].gap)
        current[index] = append(layout) {
            .affine(normalisation: normalisation, activation: activation, from: from, to: $0)
        }
    }

    /// The order that the only reader of a value asks for, if it does.
    private func consumerOrder(_ index: Int) -> Order? {
        guard consumers[index] == 1 else { return nil }
        for node in graph.nodes {
            if case .convolution(let x, let convolution) = node.operation, x.index == index {
                return Order(of: convolution)
            }
        }
        return nil
    }

    private func onlyConsumerIsActivation(_ index: Int) -> Bool {
        guard consumers[index] == 1 else { return false }
        return graph.nodes.contains { node in
            guard case .activation(let x, _) = node.operation else { return false }
            return x.index == index
        }
    }

    /// The lowered value of `x` in the order asked for, or in whatever it has.
    private mutating func value(_ x: Graph.Value, _ order: Order? = nil) -> Int {
        guard let known = current[x.index] else {
            preconditionFailure("value \(x.index) is used before it is made")
        }
        let layout = layouts[known]
        guard let order, !order.holds(layout) else { return known }
        if let copy = relaid[x.index]?.first(where: { order.holds(layouts[$0]) }) { return copy }
        var other = layout.with(dilation: order.dilation, gap: order.gap)
        if let planar = order.exactlyPlanar { other.planar = planar }
        let copy = append(other) { .relayout(from: known, to: $0, map: VoxelMap()) }
        // A slice that lies as part of a volume would not do for those who take it for a slice.
        if other.planar == layout.planar { relaid[x.index, default: []].append(copy) }
        return copy
    }
}

/// How an operation wants its input's voxels to lie.
private struct Order {
    var dilation: Int
    /// At least these gaps, unless the order is another value's.
    var gap: Size3
    /// Whether the other value is a slice, where the order is exactly that of another.
    var exactlyPlanar: Bool?

    static let plain = Order(dilation: 1, gap: Size3(0, 0, 0))

    init(dilation: Int, gap: Size3) { (self.dilation, self.gap) = (dilation, gap) }

    init(exactly layout: Layout) {
        (dilation, gap, exactlyPlanar) = (layout.dilation, layout.gap, layout.planar)
    }

    /// Neighbours under the kernel side by side, and as many zeros between the runs as the kernel reaches
    /// over; nil where any order will do.
    init?(of convolution: Graph.Convolution) {
        guard convolution.kernel.count > 1 else { return nil }
        dilation = convolution.dilation
        gap = Size3 { convolution.zeros($0) / convolution.dilation }
    }

    /// Of the output. Where the kernel leaves off a border, the gaps grow by what the runs lose.
    init(after convolution: Graph.Convolution, of input: Layout) {
        dilation = input.dilation
        gap = Size3 { axis in
            let lost = convolution.padding == .same ? 0 : convolution.kernel[axis] - 1
            return input.dilation == 1 ? 0 : input.gap[axis] + lost
        }
    }

    func holds(_ layout: Layout) -> Bool {
        guard layout.dilation == dilation else { return false }
        if dilation == 1 { return true }
        if let exactlyPlanar { return layout.gap == gap && layout.planar == exactlyPlanar }
        return (0..<3).allSatisfy { layout.gap[$0] >= gap[$0] }
    }
}

extension LoweredGraph {
    /// The voxels of each value that anything reads; nil where nothing does.
    ///
    /// Ahead of a crop a convolution has to compute no more than what is kept. In training, statistics need
    /// all voxels, and so do passes and convolutions that take all of their input, whatever becomes of the
    /// output: a gradient of zero does not make up for memory that was never written.
    func needed(training: Bool, algorithms: AlgorithmChoice) -> [VoxelBox?] {
        var boxes = [VoxelBox?](repeating: nil, count: layouts.count)
        func need(_ value: Int, _ box: VoxelBox) { boxes[value] = boxes[value]?.union(box) ?? box }
        need(output, VoxelBox(layouts[output].size))
        for instruction in instructions.reversed() {
            guard let box = boxes[instruction.output] else { continue }
            switch instruction {
            case .input: break
            case .convolution(let c, let from, let to):
                let all = algorithms.kind(of: c, planar: layouts[to].planar).readsAll(training: training)
                let size = layouts[from].size
                need(from, all ? VoxelBox(size) : c.sources(of: box, within: size))
            case .affine(let normalisation, _, let from, _):
                let all = training || normalisation?.poolsSlots == true
                need(from, all ? VoxelBox(layouts[from].size) : box)
            case .grid(let operation, let from, _):
                need(
                    from,
                    training
                        ? VoxelBox(layouts[from].size)
                        : operation.sources(of: box, within: layouts[from].size))
            case .relayout(let from, _, let map):
                need(from, map.sources(of: box, within: layouts[from].size))
            case .concatenate(let from, _):
                for value in from { need(value, box) }
            case .add(let from, let shortcut, _):
                need(from, box)
                need(shortcut, box)
            }
        }
        return boxes
    }
}

extension LoweredGraph {
    /// The value that a value repeats voxel for voxel, perhaps in another order; nil for what is no copy.
    func original(of value: Int) -> Int? {
        guard case .relayout(let from, _, VoxelMap()) = instructions[value],
            layouts[from].size == layouts[value].size
        else { return nil }
        return from
    }
}

extension Graph.Normalisation {
    /// Whether statistics are those of the voxels at hand, in inference too.
    var poolsSlots: Bool { statistics != .batch }
}

extension Graph.Convolution {
    /// The voxels of the input that a box of the output is made of.
    fileprivate func sources(of box: VoxelBox, within size: Size3) -> VoxelBox {
        if transposed {
            return VoxelBox(
                lower: VoxelIndex { box.lower[$0] / kernel[$0] },
                upper: VoxelIndex { (box.upper[$0] + kernel[$0] - 1) / kernel[$0] })
        }
        return VoxelBox(
            lower: VoxelIndex { max(0, box.lower[$0] - zeros($0)) },
            upper: VoxelIndex {
                min(size[$0], box.upper[$0] - zeros($0) + dilation * (kernel[$0] - 1))
            })
    }
}
