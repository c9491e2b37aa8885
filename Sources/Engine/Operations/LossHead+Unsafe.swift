import CKernels
import Geometry

/// Softmax, the loss from its sums, and the gradient back to the logits.
final class LossHead {
    private let context: Context
    private let classes: Int, voxels: Int
    private let loss: any SegmentationLoss
    /// [slot][class][voxel]
    private let probabilities: FloatStorage
    /// [slot][voxel]
    let reference: UnsafeMutableBufferPointer<UInt8>
    /// [slot][class][voxel]; made when it is first asked for, and from then on the reference of the loss.
    private lazy var softReference = FloatStorage(count: context.slots * classes * voxels)
    private var isSoft = false
    /// Of this rank's slots in all micro-batches, [slot of the step][sum].
    private var sums: [Double]
    /// Sums of a slot: those of each class, and the counts that Dice scores are made of.
    private let width: Int
    /// What backward starts from, a slot of the micro-batch each.
    private var gradients: [LossGradient] = []

    init(classes: Int, outputSize: Size3, loss: any SegmentationLoss, context: Context) {
        (self.context, self.loss, self.classes) = (context, loss, classes)
        voxels = outputSize.count
        width = LossSums.perClass * classes + 3
        sums = [Double](repeating: 0, count: context.slots * context.microBatches * width)
        probabilities = FloatStorage(count: context.slots * classes * outputSize.count)
        reference = .allocate(capacity: context.slots * outputSize.count)
        reference.initialize(repeating: 0)
    }

    deinit { reference.deallocate() }

    var pooling: Pooling { loss.pooling }

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
        for slot in 0..<context.slots {
            softmax(logits, slot)
            let first = place(slot) * width
            for index in first..<first + width { sums[index] = 0 }
            sums.withUnsafeMutableBufferPointer { sums in
                dr_loss_sums(
                    &view, Int32(slot), probabilities.pointer + slot * classes * voxels,
                    reference.baseAddress.map { $0 + slot * voxels },
                    isSoft ? soft(slot: slot).baseAddress : nil, Int64(voxels), Int32(classes),
                    sums.baseAddress.map { $0 + first }, Int32(context.threads))
            }
        }
        guard loss.pooling == .image else { return }
        gradients = (0..<context.slots).map {
            loss.gradient(slotSums(sums, place($0))) * (1 / Double(context.stepSlots))
        }
    }

    /// Where a slot of the micro-batch lies among this rank's slots of the step.
    private func place(_ slot: Int) -> Int { context.stepSlot(slot) - context.firstSlot }

    private func slotSums(_ values: [Double], _ slot: Int) -> LossSums {
        LossSums(
            voxels: Double(voxels), classes: classes, values: values[(slot * width)..<((slot + 1) * width)])
    }

    /// The loss of the step, whose sums are all there; they are exchanged.
    func report() throws -> BatchReport {
        let all = try context.exchange.allSlots(
            sums, globalSlots: context.stepSlots, localSlots: context.slots * context.microBatches)
        let slots = (0..<context.stepSlots).map { slotSums(all, $0) }
        let pooled = slots.dropFirst().reduce(slots[0], +)
        let slotLosses = slots.map(loss.value)
        let value: Double
        switch loss.pooling {
        case .image:
            value = slotLosses.reduce(0, +) / Double(slots.count)
        case .batch:
            value = loss.value(pooled)
            gradients = Array(repeating: loss.gradient(pooled), count: context.slots)
        }
        func total(_ k: Int) -> Double {
            (0..<slots.count).reduce(0) { $0 + all[$1 * width + LossSums.perClass * classes + k] }
        }
        let (predicted, reference, both) = (total(0), total(1), total(2))
        return BatchReport(
            loss: value, dice: predicted + reference == 0 ? 1 : 2 * both / (predicted + reference),
            foregroundFraction: reference / pooled.voxels, sums: pooled, slotSums: slots,
            slotLosses: slotLosses)
    }

    /// dL/dz_l = p_l sum over k of p_k (g_l - g_k), where g = dL/dp.
    func backward(gradient: Tensor) {
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
