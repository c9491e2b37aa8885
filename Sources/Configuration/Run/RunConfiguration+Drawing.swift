import Geometry
import Sampling

extension RunConfiguration {
    /// Which of the list's subjects are trained on and which are held out.
    public func split(subjects: Int) -> HeldOutSplit {
        HeldOutSplit(subjects: subjects, fraction: data.heldOut, seed: UInt64(seed))
    }

    /// The sampler that is configured.
    public var sampler: any PatchSampler { patch.sampler.sampler }

    /// How patches are drawn and prefetched.
    package func patchOptions(input: Size3, effective: Size3) -> PatchSource.Options {
        PatchSource.Options(
            inputSize: input, effectiveSize: effective, sampler: sampler,
            noForeground: data.noForeground,
            softClasses: data.referenceKind == .probabilities ? data.classes : 0,
            // A step of micro-batches is long, and its patches are many.
            ahead: accumulate > 1 ? 1 : 2, threads: 1)
    }
}
