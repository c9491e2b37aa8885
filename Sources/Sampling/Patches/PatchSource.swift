import Foundation
import Geometry

/// Patches for a rank's slots, drawn and copied by background threads a few steps ahead of the trainer.
///
/// What a slot gets at a step is a pure function of (seed, step, slot) and the data: neither the number of
/// threads and ranks nor timing has a part in it. Threads are plain ones, apart from those that compute. They
/// read subjects when they are first drawn, and the rest of the shard when no patch is due.
///
/// Memory: `ahead + 1` batches of `slots * (4 * channels * input + effective)` bytes, and the subjects, each
/// of `voxels * (4 * channels + 1)` bytes (soft references take four bytes more a class) and a seventh of a
/// byte a voxel for the positions (of each class, where sampling is balanced).
public final class PatchSource {
    public struct Options: Sendable {
        /// Size of the network's input.
        public var inputSize: Size3
        /// Size of the patch that the loss is taken on, the centre of the input.
        public var effectiveSize: Size3
        public var sampler: any PatchSampler
        public var noForeground: NoForegroundRule
        /// Classes of the subjects' soft references, background included; 0 where references are labels.
        public var softClasses: Int
        /// Steps to keep ready, at least 1.
        public var ahead: Int
        /// Background threads, at least 1.
        public var threads: Int
        /// Bytes of subjects to keep in memory at the most; nil keeps the whole shard.
        public var memoryBudget: Int?

        public init(
            inputSize: Size3, effectiveSize: Size3, sampler: any PatchSampler = ForegroundSampler(),
            noForeground: NoForegroundRule = .skip, softClasses: Int = 0, ahead: Int = 2, threads: Int = 2,
            memoryBudget: Int? = nil
        ) {
            self.inputSize = inputSize
            self.effectiveSize = effectiveSize
            self.sampler = sampler
            self.noForeground = noForeground
            self.softClasses = softClasses
            self.ahead = ahead
            self.threads = threads
            self.memoryBudget = memoryBudget
        }
    }

    private let pipeline: PatchPipeline

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - files: all training subjects, those of other ranks too; only the shard's are opened. All have the
    ///     same modalities and a reference.
    ///   - firstStep: the step that `next` will ask for first.
    public convenience init(
        files: [SubjectFiles], reader: SubjectReader, assignment: SlotAssignment, options: Options,
        firstStep: Int = 0
    ) {
        for subject in files {
            precondition(subject.reference != nil, "training on \(subject.subject) without a reference")
            precondition(
                subject.images.count == files[0].images.count, "\(subject.subject) has other modalities")
        }
        self.init(
            names: files.map(\.subject), channels: files[0].images.count, assignment: assignment,
            options: options, firstStep: firstStep
        ) { index in
            try reader.read(files[index])
        }
    }

    /// - Parameter read: reads the subject with this index; called on the background threads.
    init(
        names: [String], channels: Int, assignment: SlotAssignment, options: Options, firstStep: Int,
        read: @escaping @Sendable (Int) throws -> Subject
    ) {
        precondition(
            names.count == assignment.subjects, "\(names.count) subjects, \(assignment.subjects) dealt")
        precondition(options.ahead > 0, "\(options.ahead) steps ahead")
        precondition(options.threads > 0, "\(options.threads) threads")
        for axis in 0..<3 {
            precondition(
                options.inputSize[axis] >= options.effectiveSize[axis] && options.effectiveSize[axis] > 0,
                "an effective patch of \(options.effectiveSize.xyz) in an input of \(options.inputSize.xyz)")
        }
        let drawer = PatchDrawer(names: names, assignment: assignment, options: options, read: read)
        pipeline = PatchPipeline(drawer: drawer, channels: channels, firstStep: firstStep)
        pipeline.start(threads: options.threads)
    }

    deinit {
        pipeline.stop()
    }

    /// The patches of a step; waits until they are ready.
    ///
    /// Steps are prepared in ascending order from `firstStep`. Another step may be asked for, and what was
    /// prepared is dropped then. The batch is valid until the next call.
    ///
    /// - Parameter progress: called while it waits, each time a subject was read or a slot was filled for it;
    ///   never where reading has come to a halt.
    /// - Throws: the first error of a background thread: `NIfTIError` or `SubjectError`.
    public func next(step: Int, progress: () -> Void = {}) throws -> PatchBatch {
        try pipeline.take(step: step, advanced: progress)
    }

    /// Sentences about subjects that no patch can be drawn from as configured, each once; empties the list.
    public func takeNotices() -> [String] {
        pipeline.drawer.takeNotices()
    }

    /// Bytes of the subjects in memory.
    public var subjectBytes: Int { pipeline.drawer.store.byteCount }
}
