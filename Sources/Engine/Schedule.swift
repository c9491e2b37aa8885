/// Something that runs: a pass over one tensor, named for profiles and errors.
struct Step {
    let name: String
    let run: () throws -> Void
    /// The convolution that it is, if it is one.
    var convolution: ConvolutionOperation?
}

/// The steps of a plan and the memory behind them.
///
/// Time is one axis: instruction i runs forward at i, the loss at n, and backward of i at 2n - i. A tensor lives from
/// its first to its last use. Outputs of affine passes, and their copies in another dilation, are not kept for
/// backward but made again from what the affine pass read, which halves the memory for one pass more.
struct Schedule {
    private(set) var forward: [Step] = []
    private(set) var backward: [Step] = []
    /// After backward step i, gradients 0 ..< completed[i] of the arena are final.
    private(set) var completed: [Int] = []
    private(set) var input: Tensor
    private(set) var logits: Tensor
    private(set) var logitsGradient: Tensor?

    private let lowered: LoweredGraph
    private let context: Context
    private let training: Bool
    private var tensors: [Int: Tensor] = [:]
    private var gradients: [Int: Tensor] = [:]
    private var producers: [Int: Int] = [:]
    private var consumers: [Int: [Int]] = [:]
    private var needsGradient: Set<Int> = []
    private var convolutions: [Int: ConvolutionOperation] = [:]
    private var affines: [Int: AffineOperation] = [:]

    init(_ lowered: LoweredGraph, context: Context, training: Bool) throws(EngineError) {
        (self.lowered, self.context, self.training) = (lowered, context, training)
        // Placeholders until the first and the last instruction have been seen.
        input = Tensor(layout: lowered.layouts[0], slots: 0, buffer: context.planner.buffer(count: 0, at: 0))
        logits = input
        for (index, instruction) in lowered.instructions.enumerated() {
            producers[instruction.output] = index
            for value in instruction.inputs { consumers[value, default: []].append(index) }
        }
        for index in lowered.instructions.indices { try scheduleForward(index) }
        guard let first = tensors[lowered.instructions[0].output], let last = tensors[lowered.output] else {
            preconditionFailure("the graph has no input or no output")
        }
        (input, logits) = (first, last)
        logits.buffer.touch(lowered.instructions.count)
        if training { try scheduleBackward() }
    }

    /// When backward of an instruction runs.
    private func backwardTime(_ index: Int) -> Int { 2 * lowered.instructions.count - index }

    private func tensor(_ value: Int, at step: Int) -> Tensor {
        guard let tensor = tensors[value] else { preconditionFailure("value \(value) has no memory") }
        tensor.buffer.touch(step)
        return tensor
    }

    // MARK: Forward

    private mutating func scheduleForward(_ index: Int) throws(EngineError) {
        let instruction = lowered.instructions[index]
        let context = context
        for value in instruction.inputs { tensors[value]?.buffer.touch(index) }
        let layout = lowered.layouts[instruction.output]
        if case .add(let from, let shortcut, let to) = instruction {
            let (y, x) = (tensor(from, at: index), tensor(shortcut, at: index))
            tensors[to] = y
            let voxels = context.voxels(of: layout)
            forward.append(
                Step(name: "add") {
                    Shortcut.forward(x: x, y: y, voxels: voxels, threads: context.threads)
                })
            if needsGradient.contains(from) || needsGradient.contains(shortcut) { needsGradient.insert(to) }
            return
        }
        let y = context.tensor(layout, at: index)
        tensors[instruction.output] = y
        var learns = instruction.inputs.contains(where: needsGradient.contains)
        switch instruction {
        case .input, .add: break
        case .convolution(let convolution, let from, _):
            let x = tensor(from, at: index)
            let operation = try ConvolutionOperation(convolution, x: x, y: y, context: context, step: index)
            convolutions[index] = operation
            forward.append(
                Step(
                    name: convolution.name, run: { try operation.forward(x: x, y: y) }, convolution: operation
                ))
            learns = true
        case .affine(let normalization, let activation, let from, _):
            let x = tensor(from, at: index)
            let training = training
            let operation = AffineOperation(
                normalization: normalization, activation: activation, layout: layout, context: context)
            affines[index] = operation
            forward.append(
                Step(name: operation.name) { try operation.forward(x: x, y: y, training: training) })
            if case .prelu = activation { learns = true }
            if normalization != nil { learns = true }
        case .relayout(let from, _, let offset):
            let x = tensor(from, at: index)
            forward.append(
                Step(name: "relayout") {
                    Relayout.forward(from: x, to: y, offset: offset, threads: context.threads)
                })
        }
        if learns { needsGradient.insert(instruction.output) }
    }

    // MARK: Backward

    private mutating func scheduleBackward() throws(EngineError) {
        let count = lowered.instructions.count
        let gradient = context.tensor(logits.layout, at: count)
        gradients[lowered.output] = gradient
        logitsGradient = gradient
        var done = CompletedEntries(arena: context.model.gradients)
        for index in lowered.instructions.indices.reversed() {
            let before = backward.count
            try scheduleBackward(index)
            completed += Array(repeating: completed.last ?? 0, count: backward.count - before)
            if backward.count > before {
                completed[completed.count - 1] = done.finish(lowered.instructions[index])
            }
        }
        precondition(
            completed.last == context.model.gradients.count, "backward does not reach every parameter")
    }

    private mutating func scheduleBackward(_ index: Int) throws(EngineError) {
        let instruction = lowered.instructions[index]
        let time = backwardTime(index)
        let context = context
        guard let dy = gradients[instruction.output] else { return }
        dy.buffer.touch(time)
        switch instruction {
        case .input: break
        case .convolution(let convolution, let from, _):
            guard let operation = convolutions[index], let y = tensors[instruction.output] else { return }
            let x = required(from, at: time)
            let learns = needsGradient.contains(from)
            try operation.prepareBackward(x: x, y: y, data: learns, step: time)
            // oneDNN overwrites; where another consumer has been here before, its gradient is added afterwards.
            let shared = learns && gradients[from] != nil
            let dx =
                !learns
                ? nil : shared ? context.tensor(x.layout, at: time) : gradientTarget(from, at: time).tensor
            backward.append(
                Step(
                    name: convolution.name, run: { try operation.backward(x: x, dy: dy, dx: dx) },
                    convolution: operation))
            if shared, let dx {
                let total = gradientTarget(from, at: time).tensor
                let voxels = context.voxels(of: x.layout)
                backward.append(
                    Step(name: "add gradient") {
                        Shortcut.forward(x: dx, y: total, voxels: voxels, threads: context.threads)
                    })
            }
        case .affine(_, _, let from, _):
            guard let operation = affines[index] else { return }
            let x = required(from, at: time)
            let target = needsGradient.contains(from) ? gradientTarget(from, at: time) : nil
            backward.append(
                Step(name: operation.name) {
                    try operation.backward(
                        x: x, dy: dy, dx: target?.tensor, accumulate: target?.accumulate ?? false)
                })
        case .relayout(let from, _, let offset):
            guard needsGradient.contains(from) else { return }
            let target = gradientTarget(from, at: time)
            backward.append(
                Step(name: "relayout") {
                    Relayout.backward(
                        dto: dy, dfrom: target.tensor, offset: offset, accumulate: target.accumulate,
                        threads: context.threads)
                })
        case .add(let from, let shortcut, _):
            if needsGradient.contains(from) { gradients[from] = dy }
            guard needsGradient.contains(shortcut) else { return }
            if gradientMayAlias(shortcut, from: from, of: index) {
                gradients[shortcut] = dy
                return
            }
            let target = gradientTarget(shortcut, at: time)
            let voxels = context.voxels(of: dy.layout)
            backward.append(
                Step(name: "shortcut") {
                    Shortcut.backward(
                        dy: dy, dx: target.tensor, voxels: voxels, accumulate: target.accumulate,
                        threads: context.threads)
                })
        }
    }

    /// The gradient of a sum is that of both terms. They share memory where the sum is the first to reach the shortcut
    /// and the other term's producer has read it before anyone adds to the shortcut's.
    private func gradientMayAlias(_ shortcut: Int, from: Int, of index: Int) -> Bool {
        guard gradients[shortcut] == nil, lowered.layouts[shortcut] == lowered.layouts[from],
            let reader = producers[from]
        else { return false }
        if case .add = lowered.instructions[reader] { return false }
        return consumers[shortcut, default: []].allSatisfy { $0 == index || $0 < reader }
    }

    /// Where a value's gradient goes, and whether something is there already.
    private mutating func gradientTarget(_ value: Int, at time: Int) -> (tensor: Tensor, accumulate: Bool) {
        if let known = gradients[value] {
            known.buffer.touch(time)
            return (known, true)
        }
        let new = context.tensor(lowered.layouts[value], at: time)
        gradients[value] = new
        return (new, false)
    }

    private func isMadeAgain(_ value: Int) -> Bool {
        guard let producer = producers[value] else { return false }
        switch lowered.instructions[producer] {
        case .affine: return true
        case .relayout(let from, _, _): return isMadeAgain(from)
        default: return false
        }
    }

    /// A value that backward reads: kept since forward, or made again now.
    private mutating func required(_ value: Int, at time: Int) -> Tensor {
        guard isMadeAgain(value), let producer = producers[value] else { return tensor(value, at: time) }
        let y = context.tensor(lowered.layouts[value], at: time)
        let context = context
        switch lowered.instructions[producer] {
        case .affine(_, _, let from, _):
            guard let operation = affines[producer] else { return y }
            let x = required(from, at: time)
            backward.append(Step(name: "\(operation.name) again") { operation.apply(x: x, y: y) })
        case .relayout(let from, _, let offset):
            let x = required(from, at: time)
            backward.append(
                Step(name: "relayout again") {
                    Relayout.forward(from: x, to: y, offset: offset, threads: context.threads)
                })
        default: break
        }
        return y
    }
}

/// How far the gradients are final from the start of their arena on.
private struct CompletedEntries {
    private let entries: [ParameterArena.Entry]
    private var finished: Set<String> = []
    private var next = 0

    init(arena: ParameterArena) { entries = arena.entries }

    /// - Returns: The end of the final part after backward of `instruction`.
    mutating func finish(_ instruction: LoweredGraph.Instruction) -> Int {
        switch instruction {
        case .convolution(let convolution, _, _):
            finished.formUnion(["\(convolution.name).weight", "\(convolution.name).bias"])
        case .affine(let normalization, let activation, _, _):
            if let normalization { finished.formUnion(["\(normalization).weight", "\(normalization).bias"]) }
            if case .prelu(let name) = activation { finished.insert("\(name).slope") }
        default: break
        }
        while next < entries.count, finished.contains(entries[next].name) { next += 1 }
        return next == 0 ? 0 : entries[next - 1].range.upperBound
    }
}
