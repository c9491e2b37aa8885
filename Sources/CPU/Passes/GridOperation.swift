import Engine
import Geometry

/// A pass from one value to another without parameters: pooling, maxout, dropout.
enum GridOperation: Hashable {
    case maxPool(Graph.Pooling)
    case maxout(pieces: Int)
    case dropout(Graph.Dropout)

    var name: String {
        switch self {
        case .maxPool: "max pooling"
        case .maxout: "maxout"
        case .dropout: "dropout"
        }
    }

    /// Whether backward reads what forward read.
    var keepsInput: Bool {
        if case .maxout = self { return true }
        return false
    }

    /// The voxels of the input that a box of the output is made of.
    func sources(of box: VoxelBox, within size: Size3) -> VoxelBox {
        guard case .maxPool(let pooling) = self else { return box }
        return VoxelBox(
            lower: VoxelIndex { box.lower[$0] * pooling.stride[$0] },
            upper: VoxelIndex {
                min(size[$0], max(0, (box.upper[$0] - 1) * pooling.stride[$0] + pooling.window[$0]))
            })
    }

    /// - Parameters:
    ///   - step: When forward runs.
    ///   - training: Whether backward follows.
    func kernel(x: Operand, y: Tensor, context: Context, step: Int, training: Bool) -> any GridKernel {
        switch self {
        case .maxPool(let pooling):
            MaxPool(
                pooling, x: x.tensor, y: y, which: training ? context.tensor(y.layout, at: step) : nil,
                context: context)
        case .maxout(let pieces): Maxout(pieces: pieces, y: y, context: context)
        case .dropout(let dropout): DropoutPass(dropout, y: y, context: context)
        }
    }
}

/// The kernels of a grid operation.
protocol GridKernel: AnyObject {
    func forward(x: Operand, y: Tensor)
    /// dx (+)= the gradient; `time` is when it runs, and memory that it keeps lives until then.
    func backward(x: Operand?, dy: Tensor, dx: Tensor, accumulate: Bool)
    /// Says when backward runs.
    func prepareBackward(at time: Int)
}

extension GridKernel {
    func prepareBackward(at time: Int) {}
}
