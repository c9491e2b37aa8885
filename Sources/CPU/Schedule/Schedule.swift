import Engine
import Geometry

/// The steps of a plan and the memory behind them.
///
/// Time is one axis: instruction i runs forward at i, the loss at n, and backward of i at 2n - i. A tensor
/// lives from its first to its last use. What ``Fusion`` makes part of another operation has no step and no
/// tensor of its own.
struct Schedule {
    var forward: [Step] = []
    var backward: [Step] = []
    /// After backward step i, gradients 0 ..< completed[i] of the arena are final.
    var completed: [Int] = []
    private(set) var input: Tensor
    private(set) var logits: Tensor
    var logitsGradient: Tensor?

    let lowered: LoweredGraph
    let context: Context
    let fusion: Fusion
    let needed: [VoxelBox?]
    let training: Bool
    let algorithms: AlgorithmChoice
    /// What becomes of each instruction and of the value that it makes.
    var values: [Value]

    struct Value {
        var operation: Operation?
        var tensor: Tensor?
        var gradient: Tensor?
        /// Whether a parameter that learns is behind it.
        var needsGradient = false
        /// Of its channels, where the convolution that writes it forms them for a normalisation.
        var sums: ChannelSums?
        /// Of its gradient, where the convolution that writes that takes it on through the activation.
        var gradientSums: ChannelSums?
    }

    /// An instruction that has been compiled.
    enum Operation {
        case convolution(any ConvolutionKernel)
        case affine(AffineOperation)
        case relayout(Relayout)
        case grid(any GridKernel)
    }

    init(_ lowered: LoweredGraph, context: Context, training: Bool, algorithms: AlgorithmChoice)
        throws(EngineError)
    {
        (self.lowered, self.context, self.training) = (lowered, context, training)
        self.algorithms = algorithms
        fusion = Fusion(lowered, training: training, algorithms: algorithms)
        needed = lowered.needed(training: training, algorithms: algorithms)
        // Placeholders until the first and the last instruction have been seen.
        input = Tensor(layout: lowered.layouts[0], slots: 0, buffer: context.planner.buffer(count: 0, at: 0))
        logits = input
        values = lowered.instructions.map { instruction in
            guard case .affine(let normalisation, let activation, _, let to) = instruction else {
                return Value()
            }
            // Before all others: a convolution may have to tell a pass that its sums are there.
            return Value(
                operation: .affine(
                    AffineOperation(
                        normalisation: normalisation, activation: activation, layout: lowered.layouts[to],
                        context: context)))
        }
        for index in lowered.instructions.indices {
            let before = forward.count
            try scheduleForward(index)
            for step in before..<forward.count { forward[step].time = index }
        }
        guard let first = values[lowered.instructions[0].output].tensor,
            let last = values[lowered.output].tensor
        else { preconditionFailure("the graph has no input or no output") }
        (input, logits) = (first, last)
        logits.buffer.touch(lowered.instructions.count)
        if training { try scheduleBackward() }
    }

    /// When the loss is taken.
    var forwardEnd: Int { lowered.instructions.count }

    func tensor(_ value: Int, at step: Int) -> Tensor {
        guard let tensor = values[value].tensor else { preconditionFailure("value \(value) has no memory") }
        tensor.buffer.touch(step)
        return tensor
    }

    func affine(_ value: Int) -> AffineOperation? {
        if case .affine(let operation) = values[value].operation { return operation }
        return nil
    }

    func relayout(_ value: Int) -> Relayout? {
        if case .relayout(let operation) = values[value].operation { return operation }
        return nil
    }

    /// What an operation reads: a tensor, or the input of the affine pass that it applies itself.
    func operand(_ value: Int, at step: Int, materialised: (Int) -> Tensor) -> Operand {
        guard let source = fusion.source(ofDeferred: value) else {
            return Operand(tensor: materialised(value))
        }
        return Operand(tensor: materialised(source), affine: affine(value))
    }

    /// Of the direct sum, a multiplication and an addition counted as two.
    func operations(of convolution: Graph.Convolution, _ x: Tensor, _ y: Tensor) -> Int {
        convolution.operations(input: x.layout.size, output: y.layout.size) * y.slots
    }
}
