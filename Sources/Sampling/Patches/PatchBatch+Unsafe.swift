import Geometry

/// Where one slot's patch came from.
public struct PatchRecord: Hashable, Sendable {
    /// Slot of the global batch.
    public let slot: Int
    public let subject: String
    /// First voxel of the effective patch in the subject's files; negative where the volume is smaller than
    /// it.
    public let position: VoxelIndex
    /// Foreground voxels (class > 0) of the effective patch.
    public let foregroundVoxels: Int
}

/// The patches of a rank's slots for one step.
///
/// A source fills its batches again and again: what they show is right until the source's `next` is called
/// again.
public final class PatchBatch: @unchecked Sendable {
    /// Number of modalities.
    public let channels: Int
    /// Size of the network's input.
    public let inputSize: Size3
    /// Size of the patch that the loss is taken on, the centre of the input.
    public let effectiveSize: Size3
    /// Classes of soft references, background included; 0 where references are labels.
    public let softClasses: Int
    public internal(set) var step = 0
    /// In slot order.
    public internal(set) var records: [PatchRecord] = []

    let slots: Int
    private let images: UnsafeMutableBufferPointer<Float>
    private let references: UnsafeMutableBufferPointer<UInt8>
    private let softReferences: UnsafeMutableBufferPointer<Float>

    init(slots: Int, channels: Int, inputSize: Size3, effectiveSize: Size3, softClasses: Int = 0) {
        self.slots = slots
        self.channels = channels
        self.inputSize = inputSize
        self.effectiveSize = effectiveSize
        images = .allocate(capacity: slots * channels * inputSize.count)
        images.initialize(repeating: 0)
        references = .allocate(capacity: slots * effectiveSize.count)
        references.initialize(repeating: 0)
        self.softClasses = softClasses
        softReferences = .allocate(capacity: slots * softClasses * effectiveSize.count)
        softReferences.initialize(repeating: 0)
    }

    deinit {
        images.deallocate()
        references.deallocate()
        softReferences.deallocate()
    }

    /// Images of all of the rank's slots, [slot][channel][depth][height][width].
    public func withImages<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
        try body(UnsafeBufferPointer(images))
    }

    /// Images of one slot, [channel][depth][height][width].
    ///
    /// - Parameter slot: counted from the rank's first slot.
    public func withImages<R>(slot: Int, _ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
        try body(UnsafeBufferPointer(imageBuffer(slot)))
    }

    /// Class indices of one slot, [depth][height][width] of the effective patch.
    ///
    /// - Parameter slot: counted from the rank's first slot.
    public func withReference<R>(slot: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
        try body(UnsafeBufferPointer(referenceBuffer(slot)))
    }

    /// The soft reference of one slot, [class][depth][height][width] of the effective patch; nothing where
    /// references are labels.
    ///
    /// - Parameter slot: counted from the rank's first slot.
    public func withSoftReference<R>(slot: Int, _ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows
        -> R
    {
        try body(UnsafeBufferPointer(softReferenceBuffer(slot)))
    }

    /// Copies a patch of `subject` into a slot and returns its number of foreground voxels.
    func fill(slot: Int, from subject: Subject, at position: VoxelIndex) -> Int {
        let effective = VoxelBox(origin: position, size: effectiveSize)
        subject.copyImages(in: effective.surrounded(by: inputSize), to: imageBuffer(slot))
        if softClasses > 0 { subject.copyProbabilities(in: effective, to: softReferenceBuffer(slot)) }
        return subject.copyReference(in: effective, to: referenceBuffer(slot))
    }

    private func imageBuffer(_ slot: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition((0..<slots).contains(slot), "slot \(slot) of \(slots)")
        let count = channels * inputSize.count
        return UnsafeMutableBufferPointer(rebasing: images[slot * count..<(slot + 1) * count])
    }

    private func referenceBuffer(_ slot: Int) -> UnsafeMutableBufferPointer<UInt8> {
        precondition((0..<slots).contains(slot), "slot \(slot) of \(slots)")
        let count = effectiveSize.count
        return UnsafeMutableBufferPointer(rebasing: references[slot * count..<(slot + 1) * count])
    }

    private func softReferenceBuffer(_ slot: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition((0..<slots).contains(slot), "slot \(slot) of \(slots)")
        let count = softClasses * effectiveSize.count
        return UnsafeMutableBufferPointer(rebasing: softReferences[slot * count..<(slot + 1) * count])
    }
}
