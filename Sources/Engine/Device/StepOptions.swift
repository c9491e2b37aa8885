/// Which part of a step a network is compiled for: a rank's slots, and how their sums are formed.
public struct StepOptions: Sendable, Hashable {
    /// Patches of this rank in a micro-batch.
    public var slots: Int
    /// The number of its first slot in the step.
    public var firstSlot: Int
    /// Patches of all ranks in a micro-batch.
    public var globalSlots: Int
    /// Micro-batches of a step, at least 1. With more, ``MicroBatches`` runs steps, and there is memory for
    /// their gradients once more.
    public var microBatches: Int
    public var batchStatistics: BatchStatistics
    /// Whether gradients are formed a slot at a time and added in the order of ``SlotTree``, so that they do
    /// not depend on how slots are dealt to ranks. It takes memory for the gradients of each slot.
    public var gradientsBySlot: Bool
    /// Networks of so many ranks take from the same memory at the same time, this one included: those of a
    /// node.
    public var networksSharingMemory: Int

    public init(
        slots: Int, firstSlot: Int = 0, globalSlots: Int? = nil, microBatches: Int = 1,
        batchStatistics: BatchStatistics = .global, gradientsBySlot: Bool = false,
        networksSharingMemory: Int = 1
    ) {
        precondition(
            slots > 0 && microBatches > 0 && networksSharingMemory > 0,
            "\(slots) slots, \(microBatches) micro-batches, \(networksSharingMemory) networks in the memory")
        (self.slots, self.firstSlot, self.globalSlots) = (slots, firstSlot, globalSlots ?? slots)
        (self.microBatches, self.batchStatistics) = (microBatches, batchStatistics)
        (self.gradientsBySlot, self.networksSharingMemory) = (gradientsBySlot, networksSharingMemory)
    }

    /// The number in the step of a slot of a micro-batch: a rank's slots are consecutive, and each
    /// micro-batch has every `microBatches`-th of them.
    public func stepSlot(_ slot: Int, microBatch: Int) -> Int {
        firstSlot + slot * microBatches + microBatch
    }

    /// Slots of all ranks in all micro-batches.
    public var stepSlots: Int { globalSlots * microBatches }

    /// Slots of this rank in all micro-batches.
    public var localStepSlots: Int { slots * microBatches }
}

/// Over which voxels batch normalisation forms mean and variance.
public enum BatchStatistics: String, Sendable, CaseIterable {
    /// All slots of the global batch.
    case global
    /// The slots of the rank.
    case rank
}
