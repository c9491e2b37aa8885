import Engine

extension Plan {
    /// A slot's reference as probabilities, [class][depth][height][width] of `outputSize`; at each voxel they
    /// add up to 1.
    ///
    /// From the first call on the loss and its gradient are taken against these, in every slot, and the
    /// labels of ``withReference(slot:_:)`` decide only which voxels count as foreground in the DSC. All are
    /// zero at first. They take `4 * classes * outputSize.count` bytes a slot.
    public func withSoftReference<R>(
        slot: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
    ) rethrows -> R {
        guard let head else { preconditionFailure("a plan for inference has no reference") }
        precondition((0..<options.slots).contains(slot), "slot \(slot) of \(options.slots)")
        return try body(head.soft(slot: slot))
    }
}
