import CKernels

/// An activation or its gradient: slots of one layout in a buffer.
struct Tensor {
    let layout: Layout
    let slots: Int
    let buffer: Buffer

    var floats: Int { slots * layout.floatsPerSlot }

    var kernelView: dr_tensor { kernelView(bound: true) }

    /// - Parameter bound: Whether memory has been planned; if not, the view has a shape and no data.
    func kernelView(bound: Bool) -> dr_tensor {
        dr_tensor(
            data: bound ? buffer.pointer : nil, slots: Int64(slots), blocks: Int64(layout.blocks),
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
    let planner = MemoryPlanner()
    /// What dropout is drawn from, with the slot.
    var noise = (seed: UInt64(0), step: 0)
    private var runs: [Layout: VoxelRuns] = [:]

    init(options: Plan.Options, instructionSet: InstructionSet, exchange: any SlotExchange, model: Parameters)
    {
        (slots, firstSlot, globalSlots) = (options.slots, options.firstSlot, options.globalSlots)
        threads = options.threads
        batchStatistics = options.batchStatistics
        self.instructionSet = instructionSet
        (self.exchange, self.model) = (exchange, model)
    }

    /// The voxels of a layout.
    func voxels(of layout: Layout) -> VoxelRuns {
        let key = layout.with(channels: 0, size: layout.size)
        if let known = runs[key] { return known }
        let new = VoxelRuns(layout)
        runs[key] = new
        return new
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
