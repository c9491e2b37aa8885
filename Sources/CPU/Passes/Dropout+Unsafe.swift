import CKernels
import Engine

/// y = x / (1 - rate) where a hash of (seed, step, slot, layer, channel, voxel) keeps it, else 0; backward
/// alike.
///
/// Nothing is stored: backward hashes again. So neither slots' owners nor threads change what is dropped.
final class DropoutPass: GridKernel {
    private let dropout: Graph.Dropout
    private let context: Context
    private let voxels: VoxelRuns

    init(_ dropout: Graph.Dropout, y: Tensor, context: Context) {
        (self.dropout, self.context, voxels) = (dropout, context, context.voxels(of: y.layout))
    }

    func forward(x: Operand, y: Tensor) { run(x.tensor, y, accumulate: false) }

    func backward(x: Operand?, dy: Tensor, dx: Tensor, accumulate: Bool) {
        run(dy, dx, accumulate: accumulate)
    }

    private func run(_ x: Tensor, _ y: Tensor, accumulate: Bool) {
        let noise = context.noise
        let keys = (0..<context.slots).map { slot in
            [UInt64(noise.step), UInt64(context.stepSlot(slot)), UInt64(dropout.stream)]
                .reduce(mix(noise.seed)) { mix($0 ^ $1) }
        }
        keys.withUnsafeBufferPointer { keys in
            var (from, to, runs) = (x.kernelView, y.kernelView, voxels.kernelView)
            var settings = dr_dropout(
                keys: keys.baseAddress, threshold: UInt32(dropout.rate * 0x1p32),
                scale: Float(1 / (1 - dropout.rate)))
            dr_dropout_pass(&from, &to, &runs, &settings, accumulate ? 1 : 0, Int32(context.threads))
        }
    }
}
