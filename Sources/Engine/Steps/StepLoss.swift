/// The loss of a step from the sums of its slots: what of it does not depend on the device.
///
/// A device forms the sums of each slot, hands them over, and takes the gradients from which backward starts.
package final class StepLoss {
    private let loss: any SegmentationLoss
    private let classes: Int, voxels: Int
    private let options: StepOptions
    private let exchange: any SlotExchange
    /// Of this rank's slots in all micro-batches, [slot of the step][sum].
    private var sums: [Double]
    /// Sums of a slot: those of each class as ``LossSums`` has them, [sum][class], then the voxels that are
    /// predicted foreground, that are foreground in the reference, and that are both.
    package let width: Int
    /// What backward starts from, a slot of the micro-batch each; empty before the loss has been evaluated.
    package private(set) var gradients: [LossGradient] = []

    /// - Parameters:
    ///   - classes: Channels of the logits.
    ///   - voxels: Of the logits of a slot.
    package init(
        _ loss: any SegmentationLoss, classes: Int, voxels: Int, options: StepOptions,
        exchange: any SlotExchange
    ) {
        (self.loss, self.classes, self.voxels) = (loss, classes, voxels)
        (self.options, self.exchange) = (options, exchange)
        width = LossSums.perClass * classes + 3
        sums = [Double](repeating: 0, count: options.localStepSlots * width)
    }

    package var pooling: Pooling { loss.pooling }

    /// Takes the sums of the slots of a micro-batch.
    /// - Parameter sums: Those of a slot, ``width`` values.
    package func add(microBatch: Int, sums ofSlot: (_ slot: Int) -> [Double]) {
        for slot in 0..<options.slots {
            let values = ofSlot(slot)
            precondition(values.count == width, "\(values.count) sums of a slot that has \(width)")
            let first = place(slot, microBatch) * width
            sums.replaceSubrange(first..<first + width, with: values)
        }
        guard loss.pooling == .image else { return }
        gradients = (0..<options.slots).map {
            loss.gradient(slotSums(sums, place($0, microBatch))) * (1 / Double(options.stepSlots))
        }
    }

    /// Where a slot of a micro-batch lies among this rank's slots of the step.
    private func place(_ slot: Int, _ microBatch: Int) -> Int {
        options.stepSlot(slot, microBatch: microBatch) - options.firstSlot
    }

    private func slotSums(_ values: [Double], _ slot: Int) -> LossSums {
        LossSums(
            voxels: Double(voxels), classes: classes, values: values[(slot * width)..<((slot + 1) * width)])
    }

    /// The loss of the step, whose sums are all there; they are exchanged.
    package func report() throws -> BatchReport {
        let all = try exchange.allSlots(
            sums, globalSlots: options.stepSlots, localSlots: options.localStepSlots)
        let slots = (0..<options.stepSlots).map { slotSums(all, $0) }
        let pooled = slots.dropFirst().reduce(slots[0], +)
        let slotLosses = slots.map(loss.value)
        let value: Double
        switch loss.pooling {
        case .image:
            value = slotLosses.reduce(0, +) / Double(slots.count)
        case .batch:
            value = loss.value(pooled)
            gradients = Array(repeating: loss.gradient(pooled), count: options.slots)
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
}
