import Engine
import Geometry

/// A convolution's input: a tensor, and the affine pass that is applied as it is read.
struct Operand {
    let tensor: Tensor
    var affine: AffineOperation?

    /// One slot of it, or all.
    func share(_ slot: Int?) -> Operand {
        Operand(tensor: slot.map(tensor.slice) ?? tensor, affine: affine)
    }
}

/// What a convolution does to its output beside writing it.
struct Epilogue {
    /// Added to it: a shortcut, whose first channel meets the output's `firstChannel`.
    var shortcut: Tensor?
    var firstChannel = 0
    /// Where each channel's sum and sum of squares go.
    var sums: ChannelSums?
}

/// The affine pass whose output's gradient a convolution writes: it takes the gradient through the activation
/// on the way and forms the sums that the rest of the pass's backward needs.
struct GradientEpilogue {
    let affine: AffineOperation
    /// What the pass read.
    let before: Tensor
    let sums: ChannelSums
}

/// [slot][padded channel][sum] of an activation or a gradient, from the pass that wrote it.
final class ChannelSums {
    var values: [Double]

    init(slots: Int, layout: Layout, count: Int) {
        values = [Double](repeating: 0, count: slots * layout.paddedChannels * count)
    }
}

/// The voxels that a convolution reads and writes; others of x count as zero, others of y are left alone.
struct Region: Hashable {
    var x, y: VoxelBox
}

/// A way to compute one convolution and its gradients. It finds its parameters in the model it was made with.
protocol ConvolutionKernel: AnyObject {
    /// For the plan's profile.
    var algorithm: String { get }

    /// Compiles the gradients: `data` unless the input needs none. `step` is when they run. That of the
    /// weights is for as many slots as `context` forms sums of at a time.
    func prepareBackward(
        x: Operand, y: Tensor, data: Bool, epilogue: GradientEpilogue?, step: Int
    ) throws(EngineError)

    /// y[o, v] = sum over i, k of w[o, i, k] x[i, v + k - zeros] (+ bias[o])
    func forward(x: Operand, y: Tensor) throws(EngineError)

    /// dw[o, i, k] = sum over v of dy[o, v] x[i, v + k - zeros]; db[o] = sum over v of dy[o, v]; to
    /// `context.gradients`.
    func backwardWeights(x: Operand, dy: Tensor) throws(EngineError)

    /// dx[i, v] = sum over o, k of w[o, i, k] dy[o, v - k + zeros], which overwrites.
    func backwardData(dy: Tensor, dx: Tensor) throws(EngineError)
}
