import Geometry

extension Graph {
    /// The extent of the logits for an input of `inputSize`.
    ///
    /// - Throws: `EngineError.patchTooSmall` naming the layer after which nothing would be left.
    public func outputSize(inputSize: Size3) throws(EngineError) -> Size3 {
        guard let output else { throw .noOutput }
        return try sizes(inputSize: inputSize)[output.index]
    }

    /// The longest axis: voxels of one image are counted in 32 bits.
    package static let largestEdge = 1024

    /// The extent of every value.
    package func sizes(inputSize: Size3) throws(EngineError) -> [Size3] {
        var sizes: [Size3] = []
        for node in nodes {
            try checkInputs(of: node.operation, known: sizes, inputSize: inputSize)
            let (size, layer) = sizeAfter(node.operation, known: sizes, inputSize: inputSize)
            guard (0..<3).allSatisfy({ size[$0] > 0 }) else {
                throw .patchTooSmall(input: inputSize, layer: layer, found: size)
            }
            // The input itself is for the plan to refuse: a volume goes through in windows.
            guard (0..<3).allSatisfy({ size[$0] <= max(Self.largestEdge, inputSize[$0]) }) else {
                throw .imageTooLarge(
                    input: inputSize, layer: layer, found: size, largest: Self.largestEdge)
            }
            sizes.append(size)
        }
        return sizes
    }

    /// What a patch of another size would not give.
    private func checkInputs(of operation: Operation, known: [Size3], inputSize: Size3) throws(EngineError) {
        switch operation {
        case .subsample(let x, let step):
            let size = known[x.index]
            guard (0..<3).allSatisfy({ size[$0] == 1 || size[$0] % step == 0 }) else {
                throw .patchNotDivisible(input: inputSize, found: size, step: step)
            }
        case .concatenate, .add:
            let sizes = operation.inputs.map { known[$0.index] }
            guard let other = sizes.first(where: { $0 != sizes[0] }) else { return }
            throw .sizesDiffer(input: inputSize, first: sizes[0], other: other)
        default: break
        }
    }

    private func sizeAfter(_ operation: Operation, known: [Size3], inputSize: Size3) -> (Size3, layer: String)
    {
        switch operation {
        case .input:
            return (inputSize, "the input")
        case .convolution(let x, let convolution):
            return (convolution.outputSize(known[x.index]), convolution.name)
        case .normalisation(let x, let normalisation):
            return (known[x.index], normalisation.name)
        case .activation(let x, _):
            return (known[x.index], "an activation")
        case .add(let x, _):
            return (known[x.index], "a shortcut")
        case .crop(let x, let before, let after):
            let size = known[x.index]
            let name = before == after ? "\(before)" : "\(before) and \(after)"
            return (Size3 { size[$0] > 1 ? size[$0] - before - after : 1 }, "the crop by \(name)")
        case .subsample(let x, let step):
            let size = known[x.index]
            return (Size3 { size[$0] == 1 ? 1 : size[$0] / step }, "taking every voxel of \(step)")
        case .upsample(let x, let factor):
            let size = known[x.index]
            return (
                // What a transposed convolution has made of an axis of one voxel is repeated.
                Size3 { inputSize[$0] == 1 && size[$0] == 1 ? 1 : size[$0] * factor },
                "repeating voxels \(factor) times"
            )
        case .concatenate(let values):
            return (known[values[0].index], "a concatenation")
        case .maxPool(let x, let pooling):
            return (pooling.outputSize(known[x.index]), "max pooling")
        case .maxout(let x, _):
            return (known[x.index], "maxout")
        case .dropout(let x, _):
            return (known[x.index], "dropout")
        }
    }

    /// Multiplications and additions of the forward pass of one patch, counted as two operations each,
    /// convolutions only.
    public func forwardFLOPs(inputSize: Size3) throws(EngineError) -> Int {
        let sizes = try sizes(inputSize: inputSize)
        var total = 0
        for (index, node) in nodes.enumerated() {
            guard case .convolution(let x, let c) = node.operation else { continue }
            total += c.operations(input: sizes[x.index], output: sizes[index])
        }
        return total
    }
}
