import CKernels

/// An activation or its gradient: slots of one layout in a buffer.
struct Tensor {
    let layout: Layout
    let slots: Int
    /// Of the buffer's slots, where this is some of them.
    var firstSlot = 0
    let buffer: Buffer

    var floats: Int { slots * layout.floatsPerSlot }

    var kernelView: dr_tensor { kernelView(bound: true) }

    /// One slot of it.
    func slice(_ slot: Int) -> Tensor {
        Tensor(layout: layout, slots: 1, firstSlot: firstSlot + slot, buffer: buffer)
    }

    /// - Parameter bound: Whether memory has been planned; if not, the view has a shape and no data.
    func kernelView(bound: Bool) -> dr_tensor {
        dr_tensor(
            data: bound ? pointer : nil, slots: Int64(slots), blocks: Int64(layout.blocks),
            volume: Int64(layout.extent.count), isa: layout.instructionSet.kernels)
    }
}

/// What operations share: how many threads run them, whose slots they hold, and where voxels lie.
final class Context {
    let slots: Int, firstSlot: Int, globalSlots: Int, threads: Int
    let instructionSet: InstructionSet
    let batchStatistics: BatchStatistics
    let exchange: any SlotExchange
    let model: Parameters
    let planner: MemoryPlanner
    /// What dropout is drawn from, with the slot.
    var noise = (seed: UInt64(0), step: 0)
    let microBatches: Int
    /// The one that the slots hold.
    var microBatch = 0
    /// Whether forward moves the running statistics of batch normalisation.
    var movesStatistics = true
    /// Where passes leave the gradients of parameters: the model's arena, or that of the slot at hand.
    var gradients: ParameterArena
    /// An arena a slot, where gradients are formed a slot at a time. The first is the model's.
    let slotGradients: [ParameterArena]
    /// Sums over the step's earlier micro-batches, as many arenas as gradients have; none where there is one micro-batch.
    let carriedGradients: [ParameterArena]
    private var runs: [Layout: VoxelRuns] = [:]

    init(options: Plan.Options, instructionSet: InstructionSet, exchange: any SlotExchange, model: Parameters)
    {
        (slots, firstSlot, globalSlots) = (options.slots, options.firstSlot, options.globalSlots)
        (threads, microBatches) = (options.threads, options.microBatches)
        batchStatistics = options.batchStatistics
        planner = MemoryPlanner(guardFloats: options.checksMemory ? MemoryCheck.guardFloats : 0)
        self.instructionSet = instructionSet
        (self.exchange, self.model) = (exchange, model)
        gradients = model.gradients
        slotGradients =
            options.gradientsBySlot
            ? [model.gradients] + (1..<options.slots).map { _ in ParameterArena(like: model.gradients) } : []
        carriedGradients =
            options.microBatches > 1
            ? (0..<max(1, slotGradients.count)).map { _ in ParameterArena(like: model.gradients) } : []
    }

    /// The number in the step of a slot: a rank's slots are consecutive, and each micro-batch has every
    /// `microBatches`-th of them.
    func stepSlot(_ slot: Int) -> Int { firstSlot + slot * microBatches + microBatch }

    /// Slots of all ranks in all micro-batches.
    var stepSlots: Int { globalSlots * microBatches }

    /// The arenas that backward writes.
    var writtenGradients: [ParameterArena] { slotGradients.isEmpty ? [model.gradients] : slotGradients }

    /// Bytes of gradients beside the model's.
    var extraGradientBytes: Int {
        (slotGradients.dropFirst() + carriedGradients).reduce(0) { $0 + $1.storage.bytes }
    }

    /// The voxels of a layout.
    func voxels(of layout: Layout) -> VoxelRuns {
        let key = layout.with(channels: 0, size: layout.size)
        if let known = runs[key] { return known }
        let new = VoxelRuns(layout)
        runs[key] = new
        return new
    }

    /// Calls with the share of a batch whose gradients form one sum: all slots, or one after the other.
    func eachGradientShare<E: Error>(_ body: (_ slot: Int?) throws(E) -> Void) throws(E) {
        guard !slotGradients.isEmpty else { return try body(nil) }
        defer { gradients = model.gradients }
        for (slot, arena) in slotGradients.enumerated() {
            gradients = arena
            try body(slot)
        }
    }

    /// A tensor of its own that is first written at `step`.
    func tensor(_ layout: Layout, at step: Int) -> Tensor {
        Tensor(
            layout: layout, slots: slots,
            buffer: planner.buffer(count: slots * layout.floatsPerSlot, at: step))
    }
}

/// Over which voxels batch normalisation forms mean and variance.
public enum BatchStatistics: String, Sendable, CaseIterable {
    /// All slots of the global batch.
    case global
    /// The slots of the rank.
    case rank
}
