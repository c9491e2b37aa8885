import Engine

// Outputs of affine passes, and their copies in another order, are not kept for backward but made again from
// what the affine pass read, which halves the memory for one pass more.
extension Schedule {
    /// When backward of an instruction runs.
    private func backwardTime(_ index: Int) -> Int { 2 * lowered.instructions.count - index }

    /// The instruction whose backward runs then.
    private func instruction(atBackwardTime time: Int) -> Int { 2 * lowered.instructions.count - time }

    mutating func scheduleBackward() throws(EngineError) {
        let count = lowered.instructions.count
        let gradient = context.tensor(logits.layout, at: count)
        values[lowered.output].gradient = gradient
        logitsGradient = gradient
        var done = CompletedEntries(arena: context.model.gradients)
        for index in lowered.instructions.indices.reversed() {
            let before = backward.count
            try scheduleBackward(index)
            completed += Array(repeating: completed.last ?? 0, count: backward.count - before)
            for step in before..<backward.count { backward[step].time = backwardTime(index) }
            if backward.count > before {
                completed[completed.count - 1] = done.finish(lowered.instructions[index])
            }
        }
        if let missing = done.firstMissing { throw .parameterNotReached(name: missing) }
    }

    private mutating func scheduleBackward(_ index: Int) throws(EngineError) {
        let instruction = lowered.instructions[index]
        let time = backwardTime(index)
        guard let dy = values[instruction.output].gradient else { return }
        dy.buffer.touch(time)
        switch instruction {
        case .input: break
        case .convolution(let convolution, let from, _):
            try scheduleBackward(of: convolution, index, from: from, dy: dy)
        case .affine(_, _, let from, _):
            guard let operation = affine(index) else { return }
            let x = required(from, at: time)
            let target = values[from].needsGradient ? gradientTarget(from, at: time) : nil
            let sums = values[index].gradientSums
            backward.append(
                Step(name: operation.name, kind: .elementwise) {
                    try operation.backward(
                        x: x, dy: dy, dx: target?.tensor, accumulate: target?.accumulate ?? false,
                        sums: sums)
                })
        case .relayout(let from, _, _):
            guard values[from].needsGradient, let operation = relayout(index) else { return }
            let target = gradientTarget(from, at: time)
            backward.append(
                Step(name: "relayout", kind: .movement) {
                    operation.backward(dto: dy, dfrom: target.tensor, accumulate: target.accumulate)
                })
        case .concatenate(let from, _):
            scheduleBackward(ofConcatenation: from, dy: dy, at: time)
        case .grid(let operation, let from, _):
            scheduleBackward(of: operation, index, from: from, dy: dy, at: time)
        case .add(let from, let shortcut, _):
            if values[from].needsGradient { values[from].gradient = dy }
            guard values[shortcut].needsGradient else { return }
            // The gradient of a sum is that of both terms.
            if values[shortcut].gradient == nil, lowered.layouts[shortcut] == dy.layout {
                values[shortcut].gradient = dy
                return
            }
            let target = gradientTarget(shortcut, at: time)
            let (voxels, threads) = (context.voxels(of: dy.layout), context.threads)
            backward.append(
                Step(name: "shortcut", kind: .elementwise) {
                    Shortcut.backward(
                        dy: dy, dx: target.tensor, voxels: voxels, accumulate: target.accumulate,
                        threads: threads)
                })
        }
    }

    private mutating func scheduleBackward(ofConcatenation from: [Int], dy: Tensor, at time: Int) {
        let (voxels, threads) = (context.voxels(of: dy.layout), context.threads)
        var first = 0
        for value in from {
            let start = first
            first += lowered.layouts[value].channels
            guard values[value].needsGradient else { continue }
            let target = gradientTarget(value, at: time)
            backward.append(
                Step(name: "concatenate", kind: .movement) {
                    Shortcut.backward(
                        dy: dy, dx: target.tensor, first: start, voxels: voxels,
                        accumulate: target.accumulate,
                        threads: threads)
                })
        }
    }

    private mutating func scheduleBackward(
        of convolution: Graph.Convolution, _ index: Int, from: Int, dy: Tensor
    ) throws(EngineError) {
        guard case .convolution(let kernel) = values[index].operation, let y = values[index].tensor else {
            return
        }
        let time = backwardTime(index)
        let x = requiredOperand(from, at: time)
        let learns = values[from].needsGradient
        let epilogue = learns ? gradientEpilogue(of: from, x) : nil
        try kernel.prepareBackward(x: x, y: y, data: learns, epilogue: epilogue, step: time)
        let operations = operations(of: convolution, x.tensor, dy)
        let ofWeights = Step(
            name: convolution.name + " dW", kind: .convolution, algorithm: kernel.algorithm,
            operations: operations
        ) { [context] in
            try context.eachGradientShare { slot in
                try kernel.backwardWeights(x: x.share(slot), dy: slot.map(dy.slice) ?? dy)
            }
        }
        guard learns else { return backward.append(ofWeights) }
        // The pass overwrites; where another reader has been here before, its gradient is added afterwards.
        let shared = values[from].gradient != nil
        let layout = lowered.layouts[from]
        let dx = shared ? context.tensor(layout, at: time) : gradientTarget(from, at: time).tensor
        let ofData = Step(
            name: convolution.name + " dX", kind: .convolution, algorithm: kernel.algorithm,
            operations: operations
        ) {
            try kernel.backwardData(dy: dy, dx: dx)
            if let epilogue { try epilogue.affine.startBackward(sums: epilogue.sums) }
        }
        // Sums for batch normalisation go out with dX: other ranks' come while dW is formed.
        backward += epilogue?.affine.poolsSlots == true ? [ofData, ofWeights] : [ofWeights, ofData]
        guard shared else { return }
        let total = gradientTarget(from, at: time).tensor
        let (voxels, threads) = (context.voxels(of: layout), context.threads)
        backward.append(
            Step(name: "add gradient", kind: .elementwise) {
                Shortcut.forward(x: dx, y: total, voxels: voxels, threads: threads)
            })
    }

    private mutating func scheduleBackward(
        of operation: GridOperation, _ index: Int, from: Int, dy: Tensor, at time: Int
    ) {
        guard values[from].needsGradient, case .grid(let kernel) = values[index].operation else { return }
        kernel.prepareBackward(at: time)
        let x = operation.keepsInput ? requiredOperand(from, at: time) : nil
        let target = gradientTarget(from, at: time)
        backward.append(
            Step(name: operation.name, kind: .elementwise) {
                kernel.backward(x: x, dy: dy, dx: target.tensor, accumulate: target.accumulate)
            })
    }

    /// What an operation read, kept or made again.
    private mutating func requiredOperand(_ from: Int, at time: Int) -> Operand {
        // `required` appends steps, which a closure that reads self cannot do.
        let value = fusion.source(ofDeferred: from) ?? from
        let made = required(value, at: time)
        return operand(from, at: time) { $0 == value ? made : tensor($0, at: time) }
    }

    private mutating func gradientEpilogue(of value: Int, _ x: Operand) -> GradientEpilogue? {
        guard let affine = x.affine, fusion.takesGradientThroughActivation(value) else { return nil }
        let sums = ChannelSums(slots: context.slots, layout: x.tensor.layout, count: 3)
        values[value].gradientSums = sums
        return GradientEpilogue(affine: affine, before: x.tensor, sums: sums)
    }

    /// Where a value's gradient goes, and whether something is there already.
    ///
    /// Terms of sums share the sum's gradient. As soon as something is added to one of them while another has
    /// still to be read, or is being read, it moves to memory of its own.
    private mutating func gradientTarget(_ value: Int, at time: Int) -> (tensor: Tensor, accumulate: Bool) {
        guard let known = values[value].gradient else {
            let new = context.tensor(lowered.layouts[value], at: time)
            values[value].gradient = new
            return (new, false)
        }
        known.buffer.touch(time)
        let index = instruction(atBackwardTime: time)
        let isShared = values.indices.contains { other in
            other != value && values[other].gradient?.buffer === known.buffer && other <= index
        }
        guard isShared else { return (known, true) }
        let own = context.tensor(known.layout, at: time)
        values[value].gradient = own
        let (voxels, threads) = (context.voxels(of: known.layout), context.threads)
        backward.append(
            Step(name: "copy gradient", kind: .movement) {
                Shortcut.backward(dy: known, dx: own, voxels: voxels, accumulate: false, threads: threads)
            })
        return (own, true)
    }

    private func isMadeAgain(_ value: Int) -> Bool {
        switch lowered.instructions[value] {
        case .affine: return true
        case .relayout(let from, _, _): return isMadeAgain(from)
        default: return false
        }
    }

    /// A value that backward reads: kept since forward, or made again now.
    private mutating func required(_ value: Int, at time: Int) -> Tensor {
        guard isMadeAgain(value) else { return tensor(value, at: time) }
        let y = context.tensor(lowered.layouts[value], at: time)
        switch lowered.instructions[value] {
        case .affine(_, _, let from, _):
            guard let operation = affine(value) else { return y }
            let x = required(from, at: time)
            backward.append(
                Step(name: "\(operation.name) again", kind: .elementwise) { operation.apply(x: x, y: y) })
        case .relayout(let from, _, _):
            guard let operation = relayout(value) else { return y }
            let x = required(from, at: time)
            backward.append(
                Step(name: "relayout again", kind: .movement) { operation.forward(from: x, to: y) })
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

    /// The parameter that no backward has come to, where there is one.
    var firstMissing: String? { next < entries.count ? entries[next].name : nil }

    /// - Returns: The end of the final part after backward of `instruction`.
    mutating func finish(_ instruction: LoweredGraph.Instruction) -> Int {
        switch instruction {
        case .convolution(let convolution, _, _):
            finished.formUnion(["\(convolution.name).weight", "\(convolution.name).bias"])
        case .affine(let normalisation, let activation, _, _):
            if let name = normalisation?.name { finished.formUnion(["\(name).weight", "\(name).bias"]) }
            if let slope = activation.slope { finished.insert(slope) }
        default: break
        }
        while next < entries.count, finished.contains(entries[next].name) { next += 1 }
        return next == 0 ? 0 : entries[next - 1].range.upperBound
    }
}
