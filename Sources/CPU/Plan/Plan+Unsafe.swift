import CKernels
import Engine

extension Plan {
    /// A slot's patch, [channel][depth][height][width], to be written before `forward`.
    public func withInput<R>(slot: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R) rethrows -> R
    {
        precondition((0..<options.slots).contains(slot), "slot \(slot) of \(options.slots)")
        let count = inputChannels * inputSize.count
        return try body(UnsafeMutableBufferPointer(start: staging.pointer + slot * count, count: count))
    }

    /// A slot's reference, the class of each voxel of `outputSize`, [depth][height][width], below `classes`.
    public func withReference<R>(slot: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) throws -> R) rethrows
        -> R
    {
        guard let head else { preconditionFailure("a plan for inference has no reference") }
        precondition((0..<options.slots).contains(slot), "slot \(slot) of \(options.slots)")
        let count = outputSize.count
        return try body(
            UnsafeMutableBufferPointer(rebasing: head.reference[(slot * count)..<((slot + 1) * count)]))
    }

    func packInput() {
        var view = schedule.input.kernelView
        for slot in 0..<options.slots {
            let plain = staging.pointer + slot * inputChannels * inputSize.count
            dr_pack(plain, Int32(inputChannels), &view, Int32(slot), Int32(device.threads))
        }
    }

    /// A slot's logits, [class][depth][height][width]; between `forward` and `backward`, which takes their
    /// memory.
    public func logits(slot: Int) -> [Float] {
        var view = schedule.logits.kernelView
        return [Float](unsafeUninitializedCapacity: classes * outputSize.count) { buffer, count in
            if let plain = buffer.baseAddress {
                dr_unpack(&view, Int32(slot), plain, Int32(classes), Int32(device.threads))
            }
            count = classes * outputSize.count
        }
    }

    /// The softmax of a slot's logits after `forward`, [class][depth][height][width].
    public func probabilities(slot: Int, into target: UnsafeMutableBufferPointer<Float>) {
        precondition(
            target.count == classes * outputSize.count,
            "\(target.count) floats for \(classes) x \(outputSize)")
        guard let plain = target.baseAddress else { return }
        var view = schedule.logits.kernelView
        dr_softmax(&view, Int32(slot), Int32(classes), plain, Int32(device.threads))
    }
}
