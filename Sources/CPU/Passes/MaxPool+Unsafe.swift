import CKernels
import Engine

/// y[v] = max of x over the window at v stride; backward gives dy to the first voxel of the window that has
/// it.
final class MaxPool: GridKernel {
    /// The index of that voxel, a float a value of y.
    private let which: Tensor?
    private let threads: Int
    private var shape = dr_pool()

    init(_ pooling: Graph.Pooling, x: Tensor, y: Tensor, which: Tensor?, context: Context) {
        precondition(!x.layout.hasGaps && !y.layout.hasGaps, "max pooling of a dilated layout")
        (self.which, threads) = (which, context.threads)
        (shape.from, shape.to) = (x.layout.extent.kernelView, y.layout.extent.kernelView)
        (shape.window, shape.stride) = (pooling.window.kernelView, pooling.stride.kernelView)
    }

    func prepareBackward(at time: Int) { which?.buffer.touch(time) }

    func forward(x: Operand, y: Tensor) {
        var (from, to) = (x.tensor.kernelView, y.kernelView)
        guard let which else { return dr_max_pool(&from, &to, nil, &shape, Int32(threads)) }
        var index = which.kernelView
        dr_max_pool(&from, &to, &index, &shape, Int32(threads))
    }

    func backward(x: Operand?, dy: Tensor, dx: Tensor, accumulate: Bool) {
        guard let which else { preconditionFailure("pooling only infers") }
        var (gradient, index, to) = (dy.kernelView, which.kernelView, dx.kernelView)
        dr_max_pool_backward(&gradient, &index, &to, &shape, accumulate ? 1 : 0, Int32(threads))
    }
}
