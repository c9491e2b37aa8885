import CKernels
import Engine
import Geometry

/// Softmax, the sums that the loss takes, and the gradient back to the logits.
final class LossHead {
    private let context: Context
    private let classes: Int, voxels: Int
    private let loss: StepLoss
    /// [slot][class][voxel]
    private let probabilities: FloatStorage
    /// [slot][voxel]
    let reference: UnsafeMutableBufferPointer<UInt8>
    /// [slot][class][voxel]; made when it is first asked for, and from then on the reference of the loss.
    private lazy var softReference = FloatStorage(count: context.slots * classes * voxels)
    private var isSoft = false

    init(classes: Int, outputSize: Size3, loss: StepLoss, context: Context) {
        (self.context, self.loss, self.classes) = (context, loss, classes)
        voxels = outputSize.count
        probabilities = FloatStorage(count: context.slots * classes * outputSize.count)
        reference = .allocate(capacity: context.slots * outputSize.count)
        reference.initialize(repeating: 0)
    }

    deinit { reference.deallocate() }

    var bytes: Int { probabilities.bytes + reference.count + (isSoft ? softReference.bytes : 0) }

    /// The soft reference of a slot, [class][voxel].
    func soft(slot: Int) -> UnsafeMutableBufferPointer<Float> {
        isSoft = true
        let count = classes * voxels
        return UnsafeMutableBufferPointer(start: softReference.pointer + slot * count, count: count)
    }

    /// Forms the probabilities of a micro-batch.
    func softmax(logits: Tensor) {
        for slot in 0..<context.slots { softmax(logits, slot) }
    }

    private func softmax(_ logits: Tensor, _ slot: Int) {
        var view = logits.kernelView
        dr_softmax(
            &view, Int32(slot), Int32(classes), probabilities.pointer + slot * classes * voxels,
            Int32(context.threads))
    }

    /// Forms the probabilities of a micro-batch and the sums that the loss takes of them.
    func addSums(logits: Tensor) {
        var view = logits.kernelView
        loss.add(microBatch: context.microBatch) { slot in
            softmax(logits, slot)
            var sums = [Double](repeating: 0, count: loss.width)
            dr_loss_sums(
                &view, Int32(slot), probabilities.pointer + slot * classes * voxels,
                reference.baseAddress.map { $0 + slot * voxels },
                isSoft ? soft(slot: slot).baseAddress : nil, Int64(voxels), Int32(classes), &sums,
                Int32(context.threads))
            return sums
        }
    }

    /// dL/dz_l = p_l sum over k of p_k (g_l - g_k), where g = dL/dp.
    func backward(gradient: Tensor) {
        let gradients = loss.gradients
        precondition(gradients.count == context.slots, "the loss has not been evaluated")
        var view = gradient.kernelView
        for slot in 0..<context.slots {
            let r = reference.baseAddress.map { $0 + slot * voxels }
            dr_softmax_backward(
                probabilities.pointer + slot * classes * voxels, r,
                isSoft ? soft(slot: slot).baseAddress : nil, Int32(classes), gradients[slot].values, &view,
                Int32(slot), Int32(context.threads))
        }
    }
}
