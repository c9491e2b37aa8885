import CKernels

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
    /// Of the last `evaluate`, a slot of this rank each.
    private var gradients: [LossGradient] = []
    private let firstSlot: Int

    init(classes: Int, outputSize: Size3, firstSlot: Int, loss: any SegmentationLoss, context: Context) {
        (self.context, self.loss, self.classes, self.firstSlot) = (context, loss, classes, firstSlot)
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

    /// The loss of the global batch; the slots' sums are exchanged.
    func evaluate(logits: Tensor) throws -> BatchReport {
        let width = LossSums.perClass * classes + 3
        var local = [Double](repeating: 0, count: context.slots * width)
        var view = logits.kernelView
        for slot in 0..<context.slots {
            let p = probabilities.pointer + slot * classes * voxels
            let r = reference.baseAddress.map { $0 + slot * voxels }
            dr_softmax(&view, Int32(slot), Int32(classes), p, Int32(context.threads))
            local.withUnsafeMutableBufferPointer { sums in
                dr_loss_sums(
                    &view, Int32(slot), p, r, isSoft ? soft(slot: slot).baseAddress : nil, Int64(voxels),
                    Int32(classes),
                    sums.baseAddress.map { $0 + slot * width },
                    Int32(context.threads))
            }
        }
        let all = try context.exchange.allSlots(
            local, globalSlots: context.globalSlots, localSlots: context.slots)
        return report(all, width: width)
    }

    private func report(_ all: [Double], width: Int) -> BatchReport {
        let slots = (0..<context.globalSlots).map { slot in
            LossSums(
                voxels: Double(voxels), classes: classes,
                values: all[(slot * width)..<((slot + 1) * width)])
        }
        let pooled = slots.dropFirst().reduce(slots[0], +)
        let slotLosses = slots.map(loss.value)
        let value: Double
        switch loss.pooling {
        case .image:
            value = slotLosses.reduce(0, +) / Double(slots.count)
            gradients = slots[firstSlot..<(firstSlot + context.slots)].map {
                loss.gradient($0) * (1 / Double(slots.count))
            }
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
