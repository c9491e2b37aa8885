import Geometry

/// The steps of a plan and the memory behind them.
///
/// Time is one axis: instruction i runs forward at i, the loss at n, and backward of i at 2n - i. A tensor lives from
/// its first to its last use. What fuses into a Winograd convolution has no step and no tensor of its own: the affine
/// pass before it, the shortcut after it, and the sums for the next batch normalisation.
struct Schedule {
    private(set) var forward: [Step] = []
    var backward: [Step] = []
    /// After backward step i, gradients 0 ..< completed[i] of the arena are final.
    var completed: [Int] = []
    private(set) var input: Tensor
    private(set) var logits: Tensor
    var logitsGradient: Tensor?

    let lowered: LoweredGraph
    let context: Context
    let needed: [VoxelBox?]
    private let training: Bool
    private let algorithms: AlgorithmChoice
    var tensors: [Int: Tensor] = [:]
    var gradients: [Int: Tensor] = [:]
    var producers: [Int: Int] = [:]
    var consumers: [Int: [Int]] = [:]
    var needsGradient: Set<Int> = []
    var convolutions: [Int: any ConvolutionKernel] = [:]
    var affines: [Int: AffineOperation] = [:]
    var relayouts: [Int: Relayout] = [:]
    var grids: [Int: any GridKernel] = [:]
    /// Of gradients that reach an affine pass with its activation behind them, by the pass's output.
    var gradientSums: [Int: ChannelSums] = [:]
    /// Of values that batch normalisation reads, where the convolution that wrote them formed them.
    private var sums: [Int: ChannelSums] = [:]
    /// The additions that a convolution does while it writes.
    private var fusedAdditions: Set<Int> = []

    init(_ lowered: LoweredGraph, context: Context, training: Bool, algorithms: AlgorithmChoice)
        throws(EngineError)
    {
        (self.lowered, self.context, self.training) = (lowered, context, training)
        self.algorithms = algorithms
        needed = lowered.needed(training: training, algorithms: algorithms)
        // Placeholders until the first and the last instruction have been seen.
        input = Tensor(layout: lowered.layouts[0], slots: 0, buffer: context.planner.buffer(count: 0, at: 0))
        logits = input
        for (index, instruction) in lowered.instructions.enumerated() {
            producers[instruction.output] = index
            for value in instruction.inputs { consumers[value, default: []].append(index) }
        }
        for index in lowered.instructions.indices {
            let before = forward.count
            try scheduleForward(index)
            for step in before..<forward.count { forward[step].time = index }
        }
        guard let first = tensors[lowered.instructions[0].output], let last = tensors[lowered.output] else {
            preconditionFailure("the graph has no input or no output")
        }
        (input, logits) = (first, last)
        logits.buffer.touch(lowered.instructions.count)
        if training { try scheduleBackward() }
    }

    /// When the loss is taken.
    var forwardEnd: Int { lowered.instructions.count }

    func tensor(_ value: Int, at step: Int) -> Tensor {
        guard let tensor = tensors[value] else { preconditionFailure("value \(value) has no memory") }
        tensor.buffer.touch(step)
        return tensor
    }

    // MARK: What fuses

    /// Which kernel computes a convolution; nil for other instructions.
    private func kind(_ index: Int) -> ConvolutionKind? {
        guard case .convolution(let c, _, let to) = lowered.instructions[index] else { return nil }
        return algorithms.kind(of: c, planar: lowered.layouts[to].planar)
    }

    /// Whether an instruction applies the affine pass before it to what it loads.
    private func appliesAffine(_ index: Int) -> Bool {
        if case .grid(.maxout, _, _) = lowered.instructions[index] { return true }
        return kind(index) == .winograd
    }

    /// Whether the output of an affine pass is never written: its readers form it as they load.
    func isDeferred(_ value: Int) -> Bool {
        guard let producer = producers[value], case .affine = lowered.instructions[producer],
            value != lowered.output, let readers = consumers[value]
        else { return false }
        return readers.allSatisfy(appliesAffine)
    }

    /// The addition that the convolution `index` does on the way: of a tensor that is there already and whose channels
    /// meet whole blocks.
    private func fusableAddition(after index: Int) -> Int? {
        let value = lowered.instructions[index].output
        guard kind(index) == .winograd, consumers[value]?.count == 1, let reader = consumers[value]?.first,
            case .add(value, let shortcut, _) = lowered.instructions[reader],
            let source = producers[shortcut], source < index, !isDeferred(shortcut)
        else { return nil }
        let (wide, narrow) = (lowered.layouts[value], lowered.layouts[shortcut])
        let first = Shortcut.firstChannel(wide: wide.channels, narrow: narrow.channels)
        return first % wide.block == 0 ? reader : nil
    }

    private func isNormalised(_ value: Int) -> Bool {
        consumers[value, default: []].contains {
            guard case .affine(.some(let normalization), _, _, _) = lowered.instructions[$0] else {
                return false
            }
            return training || normalization.poolsSlots
        }
    }

    /// What a convolution reads: a tensor, or the input of the affine pass that it applies itself.
    func operand(_ value: Int, at step: Int, materialised: (Int) -> Tensor) -> Operand {
        guard isDeferred(value), let producer = producers[value],
            case .affine(_, _, let from, _) = lowered.instructions[producer]
        else { return Operand(tensor: materialised(value)) }
        return Operand(tensor: materialised(from), affine: affines[producer])
    }

    // MARK: Forward

    private mutating func scheduleForward(_ index: Int) throws(EngineError) {
        let instruction = lowered.instructions[index]
        for value in instruction.inputs { tensors[value]?.buffer.touch(index) }
        var learns = instruction.inputs.contains(where: needsGradient.contains)
        switch instruction {
        case .input(let to):
            tensors[to] = context.tensor(lowered.layouts[to], at: index)
        case .convolution(let convolution, let from, let to):
            try scheduleConvolution(convolution, index, from: from, to: to)
            learns = true
        case .affine(let normalization, let activation, let from, let to):
            scheduleAffine(normalization, activation, index, from: from, to: to)
            if case .prelu = activation { learns = true }
            if normalization != nil { learns = true }
        case .relayout(let from, let to, let map):
            let (x, y) = (tensor(from, at: index), context.tensor(lowered.layouts[to], at: index))
            let operation = Relayout(from: x.layout, to: y.layout, map: map, threads: context.threads)
            (tensors[to], relayouts[index]) = (y, operation)
            forward.append(Step(name: "relayout", kind: .movement) { operation.forward(from: x, to: y) })
        case .concatenate(let from, let to):
            scheduleConcatenation(index, from: from, to: to)
        case .grid(let operation, let from, let to):
            scheduleGrid(operation, index, from: from, to: to)
        case .add(let from, let shortcut, let to):
            let (y, x) = (overwritable(from, at: index), tensor(shortcut, at: index))
            tensors[to] = y
            if !fusedAdditions.contains(index) {
                let (voxels, threads) = (context.voxels(of: y.layout), context.threads)
                forward.append(
                    Step(name: "add", kind: .elementwise) {
                        Shortcut.forward(x: x, y: y, voxels: voxels, threads: threads)
                    })
            }
        }
        if learns { needsGradient.insert(instruction.output) }
    }

    /// The tensor of a value that is overwritten by what `index` makes of it; a copy where others still read it.
    private mutating func overwritable(_ value: Int, at index: Int) -> Tensor {
        let x = tensor(value, at: index)
        let isShared = tensors.contains { other, tensor in
            tensor.buffer === x.buffer
                && (lastRead(of: other) > index || other != value && lastRead(of: other) == index)
        }
        guard isShared else { return x }
        let copy = context.tensor(x.layout, at: index)
        let (voxels, threads) = (context.voxels(of: x.layout), context.threads)
        forward.append(
            Step(name: "copy", kind: .movement) {
                Shortcut.backward(dy: x, dx: copy, voxels: voxels, accumulate: false, threads: threads)
            })
        return copy
    }

    /// The last instruction of the forward pass that reads a value, itself or as what is made of it on the way; -1 where
    /// none does.
    private func lastRead(of value: Int) -> Int {
        if value == lowered.output { return lowered.instructions.count }
        return consumers[value, default: []].map { reader in
            let made = lowered.instructions[reader].output
            return isDeferred(made) ? lastRead(of: made) : reader
        }.max() ?? -1
    }

    private mutating func scheduleConcatenation(_ index: Int, from: [Int], to: Int) {
        let y = context.tensor(lowered.layouts[to], at: index)
        tensors[to] = y
        let parts = from.map { tensor($0, at: index) }
        let (voxels, threads) = (context.voxels(of: y.layout), context.threads)
        forward.append(
            Step(name: "concatenate", kind: .movement) {
                clear(y, voxels, threads: threads)
                var first = 0
                for x in parts {
                    Shortcut.forward(x: x, y: y, first: first, voxels: voxels, threads: threads)
                    first += x.layout.channels
                }
            })
    }

    private mutating func scheduleConvolution(
        _ convolution: Graph.Convolution, _ index: Int, from: Int, to: Int
    ) throws(EngineError) {
        let y = context.tensor(lowered.layouts[to], at: index)
        tensors[to] = y
        let x = operand(from, at: index) { tensor($0, at: index) }
        let kind = algorithms.kind(of: convolution, planar: y.layout.planar)
        var epilogue = Epilogue()
        var result = to
        if let addition = fusableAddition(after: index),
            case .add(_, let shortcut, let sum) = lowered.instructions[addition]
        {
            let narrow = tensor(shortcut, at: index)
            epilogue.shortcut = narrow
            epilogue.firstChannel = Shortcut.firstChannel(
                wide: y.layout.channels, narrow: narrow.layout.channels)
            fusedAdditions.insert(addition)
            result = sum
        }
        if kind.sumsOutputs, isNormalised(result) {
            epilogue.sums = ChannelSums(slots: context.slots, layout: y.layout, count: 2)
            sums[result] = epilogue.sums
        }
        let kernel = try kind.kernel(
            convolution, x: x, y: y, epilogue: epilogue, region: region(from: from, to: to),
            context: context, step: index)
        convolutions[index] = kernel
        let summed = epilogue.sums
        forward.append(
            Step(
                name: convolution.name, kind: .convolution, algorithm: kernel.algorithm,
                operations: operations(of: convolution, x.tensor, y)
            ) {
                try kernel.forward(x: x, y: y)
                if let summed { try summed.reader?.startForward(x: y, sums: summed) }
            })
    }

    func operations(of convolution: Graph.Convolution, _ x: Tensor, _ y: Tensor) -> Int {
        convolution.operations(input: x.layout.size, output: y.layout.size) * y.slots
    }

    private mutating func scheduleGrid(_ operation: GridOperation, _ index: Int, from: Int, to: Int) {
        if case .dropout = operation, !training {
            tensors[to] = tensor(from, at: index)
            return
        }
        let y = context.tensor(lowered.layouts[to], at: index)
        tensors[to] = y
        let x = operand(from, at: index) { tensor($0, at: index) }
        let kernel = operation.kernel(x: x, y: y, context: context, step: index, training: training)
        grids[index] = kernel
        forward.append(
            Step(name: operation.name, kind: .elementwise) { kernel.forward(x: x, y: y) })
    }

    /// What a convolution has to read and write.
    private func region(from: Int, to: Int) -> Region {
        Region(
            x: needed[from] ?? VoxelBox(lowered.layouts[from].size),
            y: needed[to] ?? VoxelBox(lowered.layouts[to].size))
    }

    private mutating func scheduleAffine(
        _ normalization: Graph.Normalization?, _ activation: Graph.Activation, _ index: Int, from: Int,
        to: Int
    ) {
        let x = tensor(from, at: index)
        let operation = AffineOperation(
            normalization: normalization, activation: activation, layout: lowered.layouts[to],
            context: context)
        affines[index] = operation
        let y = isDeferred(to) ? nil : context.tensor(lowered.layouts[to], at: index)
        tensors[to] = y
        // A copy in another order has the same sums.
        var source = from
        while sums[source] == nil, let original = lowered.original(of: source) { source = original }
        let (training, known) = (training, sums[source])
        // Of several that read the same statistics each takes its own turn.
        if training, let known { known.reader = known.isRead ? nil : operation }
        known?.isRead = true
        forward.append(
            Step(name: operation.name, kind: .elementwise) {
                try operation.forward(x: x, y: y, training: training, sums: known)
            })
    }
}
