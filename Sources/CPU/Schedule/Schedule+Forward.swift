import Engine
import Geometry

extension Schedule {
    mutating func scheduleForward(_ index: Int) throws(EngineError) {
        let instruction = lowered.instructions[index]
        for value in instruction.inputs { values[value].tensor?.buffer.touch(index) }
        var learns = instruction.inputs.contains { values[$0].needsGradient }
        switch instruction {
        case .input(let to):
            values[to].tensor = context.tensor(lowered.layouts[to], at: index)
        case .convolution(let convolution, let from, let to):
            try scheduleConvolution(convolution, index, from: from, to: to)
            learns = true
        case .affine(let normalisation, let activation, let from, let to):
            scheduleAffine(index, from: from, to: to)
            if normalisation != nil || activation.slope != nil { learns = true }
        case .relayout(let from, let to, let map):
            let (x, y) = (tensor(from, at: index), context.tensor(lowered.layouts[to], at: index))
            let operation = Relayout(from: x.layout, to: y.layout, map: map, threads: context.threads)
            (values[to].tensor, values[to].operation) = (y, .relayout(operation))
            forward.append(Step(name: "relayout", kind: .movement) { operation.forward(from: x, to: y) })
        case .concatenate(let from, let to):
            scheduleConcatenation(index, from: from, to: to)
        case .grid(let operation, let from, let to):
            scheduleGrid(operation, index, from: from, to: to)
        case .add(let from, let shortcut, let to):
            let (y, x) = (overwritable(from, at: index), tensor(shortcut, at: index))
            values[to].tensor = y
            if !fusion.isDoneByConvolution(index) {
                let (voxels, threads) = (context.voxels(of: y.layout), context.threads)
                forward.append(
                    Step(name: "add", kind: .elementwise) {
                        Shortcut.forward(x: x, y: y, voxels: voxels, threads: threads)
                    })
            }
        }
        values[index].needsGradient = learns
    }

    /// The tensor of a value that is overwritten by what `index` makes of it; a copy where others still read
    /// it.
    private mutating func overwritable(_ value: Int, at index: Int) -> Tensor {
        let x = tensor(value, at: index)
        let isShared = values.indices.contains { other in
            values[other].tensor?.buffer === x.buffer
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

    /// The last instruction of the forward pass that reads a value, itself or as what is made of it on the
    /// way; -1 where none does.
    private func lastRead(of value: Int) -> Int {
        if value == lowered.output { return lowered.instructions.count }
        return lowered.readers[value].map { fusion.isDeferred($0) ? lastRead(of: $0) : $0 }.max() ?? -1
    }

    private mutating func scheduleConcatenation(_ index: Int, from: [Int], to: Int) {
        let y = context.tensor(lowered.layouts[to], at: index)
        values[to].tensor = y
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
        values[to].tensor = y
        let x = operand(from, at: index) { tensor($0, at: index) }
        let kind = algorithms.kind(of: convolution, planar: y.layout.planar)
        var epilogue = Epilogue()
        if let addition = fusion.addition(after: index),
            case .add(_, let shortcut, _) = lowered.instructions[addition]
        {
            let narrow = tensor(shortcut, at: index)
            epilogue.shortcut = narrow
            epilogue.firstChannel = Shortcut.firstChannel(
                wide: y.layout.channels, narrow: narrow.layout.channels)
        }
        var waiting: AffineOperation?
        if let summed = fusion.summedValue(of: index) {
            let sums = ChannelSums(slots: context.slots, layout: y.layout, count: 2)
            (epilogue.sums, values[summed].sums) = (sums, sums)
            // Its exchange with other ranks starts as soon as the sums are there. Of several passes each
            // takes its own turn.
            if training { waiting = fusion.onlyReader(ofSumsOf: summed).flatMap(affine) }
        }
        let kernel = try kind.kernel(
            convolution, x: x, y: y, epilogue: epilogue, region: region(from: from, to: to),
            context: context, step: index)
        values[index].operation = .convolution(kernel)
        let (summed, reader) = (epilogue.sums, waiting)
        forward.append(
            Step(
                name: convolution.name, kind: .convolution, algorithm: kernel.algorithm,
                operations: operations(of: convolution, x.tensor, y)
            ) {
                try kernel.forward(x: x, y: y)
                if let summed { try reader?.startForward(x: y, sums: summed) }
            })
    }

    private mutating func scheduleGrid(_ operation: GridOperation, _ index: Int, from: Int, to: Int) {
        if case .dropout = operation, !training {
            values[to].tensor = tensor(from, at: index)
            return
        }
        let y = context.tensor(lowered.layouts[to], at: index)
        values[to].tensor = y
        let x = operand(from, at: index) { tensor($0, at: index) }
        let kernel = operation.kernel(x: x, y: y, context: context, step: index, training: training)
        values[index].operation = .grid(kernel)
        forward.append(
            Step(name: operation.name, kind: .elementwise) { kernel.forward(x: x, y: y) })
    }

    /// What a convolution has to read and write.
    private func region(from: Int, to: Int) -> Region {
        Region(
            x: needed[from] ?? VoxelBox(lowered.layouts[from].size),
            y: needed[to] ?? VoxelBox(lowered.layouts[to].size))
    }

    private mutating func scheduleAffine(_ index: Int, from: Int, to: Int) {
        guard let operation = affine(index) else { return }
        let x = tensor(from, at: index)
        let y = fusion.isDeferred(to) ? nil : context.tensor(lowered.layouts[to], at: index)
        values[to].tensor = y
        let sums = fusion.summedSource(ofAffine: index).flatMap { values[$0].sums }
        let training = training
        forward.append(
            Step(name: operation.name, kind: .elementwise) {
                try operation.forward(x: x, y: y, training: training, sums: sums)
            })
    }
}
