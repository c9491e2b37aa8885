import Engine
import Geometry
import Sampling

extension RunConfiguration {
    /// Which of the list's subjects are trained on and which are held out.
    public func split(subjects: Int) -> HeldOutSplit {
        HeldOutSplit(subjects: subjects, fraction: data.heldOut, seed: UInt64(seed))
    }

    /// The sampler that is configured.
    public var sampler: any PatchSampler {
        let kind: SamplerKind =
            switch patch.sampler {
            case .foreground: .foreground
            case .uniform: .uniform
            case .balanced: .balanced
            }
        return kind.sampler
    }

    /// How patches are drawn and prefetched.
    package func patchOptions(input: Size3, effective: Size3) -> PatchSource.Options {
        let rule: NoForegroundRule =
            switch data.noForeground {
            case .error: .error
            case .skip: .skip
            case .uniform: .uniform
            }
        return PatchSource.Options(
            inputSize: input, effectiveSize: effective, sampler: sampler,
            noForeground: rule, softClasses: data.referenceKind == .probabilities ? data.classes : 0,
            // A step of micro-batches is long, and its patches are many.
            ahead: accumulate > 1 ? 1 : 2, threads: 1)
    }
}
