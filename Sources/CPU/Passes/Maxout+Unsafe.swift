import CKernels
import Engine

/// y[c] = max over p of x[p channels + c] (Goodfellow et al. 2013); backward gives dy to the first piece that
/// has it, found again from x.
final class Maxout: GridKernel {
    private let channels: Int32, pieces: Int32, threads: Int32
    private let voxels: VoxelRuns

    init(pieces: Int, y: Tensor, context: Context) {
        (channels, self.pieces, threads) = (Int32(y.layout.channels), Int32(pieces), Int32(context.threads))
        voxels = context.voxels(of: y.layout)
    }

    func forward(x: Operand, y: Tensor) {
        var (from, to, runs) = (x.tensor.kernelView, y.kernelView, voxels.kernelView)
        withAffine(of: x) { dr_maxout(&from, &to, &runs, $0, channels, pieces, threads) }
    }

    func backward(x: Operand?, dy: Tensor, dx: Tensor, accumulate: Bool) {
        guard let x else { preconditionFailure("maxout needs its input again") }
        var (from, gradient, to) = (x.tensor.kernelView, dy.kernelView, dx.kernelView)
        var runs = voxels.kernelView
        withAffine(of: x) {
            dr_maxout_backward(
                &from, &gradient, &to, &runs, $0, channels, pieces, accumulate ? 1 : 0, threads)
        }
    }

    private func withAffine(of x: Operand, _ body: (UnsafePointer<dr_affine>?) -> Void) {
        guard let affine = x.affine else { return body(nil) }
        withUnsafePointer(to: affine.lanes.kernelView) { body($0) }
    }
}
