import Sampling

/// The patches of a step of a rank, whatever they come from.
public protocol StepPatches {
    /// Classes of soft references, background included; 0 where references are labels.
    var softClasses: Int { get }
    /// Images of one slot, [channel][depth][height][width].
    /// - Parameter slot: counted from the rank's first slot, over all micro-batches.
    func withImages<R>(slot: Int, _ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R
    /// Class of each voxel of one slot's effective patch, [depth][height][width].
    func withReference<R>(slot: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R
    /// Probabilities of one slot's effective patch, [class][depth][height][width].
    func withSoftReference<R>(slot: Int, _ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R
    /// Where a slot's patch is from, such as "of 0003 at voxel (12, 40, 7)"; nil for a slot of another rank.
    /// - Parameter slot: of the global batch.
    func place(ofGlobalSlot slot: Int) -> String?
}

extension PatchBatch: StepPatches {
    public func place(ofGlobalSlot slot: Int) -> String? {
        records.first { $0.slot == slot }.map { "of \($0.subject) at voxel \($0.position)" }
    }
}
