import Engine

/// What operations share: how many threads run them, whose slots they hold, and where voxels lie.
final class Context {
    let options: StepOptions
    let device: CPUDevice
    let exchange: any SlotExchange
    let model: Parameters
    let planner: MemoryPlanner
    /// What dropout is drawn from, with the slot.
    var noise = (seed: UInt64(0), step: 0)
    /// The one that the slots hold.
    var microBatch = 0
    /// Whether forward moves the running statistics of batch normalisation.
    var movesStatistics = true
    /// Where passes leave the gradients of parameters: the model's arena, or that of the slot at hand.
    var gradients: ParameterArena
    /// An arena a slot, where gradients are formed a slot at a time. The first is the model's.
    let slotGradients: [ParameterArena]
    /// Sums over the step's earlier micro-batches, as many arenas as gradients have; none where there is one
    /// micro-batch.
    let carriedGradients: [ParameterArena]
    private var runs: [Layout: VoxelRuns] = [:]

    init(options: StepOptions, device: CPUDevice, exchange: any SlotExchange, model: Parameters) {
        (self.options, self.device, self.exchange, self.model) = (options, device, exchange, model)
        planner = MemoryPlanner(guardFloats: device.checksMemory ? MemoryCheck.guardFloats : 0)
        gradients = model.gradients
        slotGradients =
            options.gradientsBySlot
            ? [model.gradients] + (1..<options.slots).map { _ in ParameterArena(like: model.gradients) } : []
        carriedGradients =
            options.microBatches > 1
            ? (0..<max(1, slotGradients.count)).map { _ in ParameterArena(like: model.gradients) } : []
    }

    var slots: Int { options.slots }
    var threads: Int { device.threads }

    /// The number in the step of a slot.
    func stepSlot(_ slot: Int) -> Int { options.stepSlot(slot, microBatch: microBatch) }

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
