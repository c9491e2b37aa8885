import CKernels
import Engine

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
