/// What a rank does from a moment on: a phase of a run.
///
/// Whoever watches, times or draws a run hears of its phases (``PhaseObserver``), and the words that users
/// see of them stand here alone: in sentences of the watchdog and in `DICERANK_FAULT` a phase's
/// ``operation``, in the timeline its ``span``, in `metrics.csv` its ``column``.
public enum Phase: Hashable, Sendable {
    // Before the first step.
    case starting
    case readingCheckpoint
    case checkingSubjects
    case timingConvolutions
    case planning
    case preparing
    case readingHeaders
    case comparingClocks

    // A step.
    case waitingForPatches
    case waitingForRanks
    case forward
    /// One of several micro-batches of a step, counted from 1.
    case microBatch(Int, of: Int)
    case loadingPatches
    case loss
    case gradients
    case reduction
    case update
    case checkingGradients
    case clippingGradients
    case optimiser
    case comparingReplicas

    // Between steps.
    case choosingBuckets
    /// All ranks, of which one writes.
    case checkpoint
    /// The rank that writes the checkpoint.
    case savingCheckpoint
    case preparingHeldOut
    /// All of the scoring of the held-out subjects.
    case scoringHeldOut
    case waitingForHeldOut
    case segmentingHeldOut
    case recordingHeldOut
    case writingTimeline

    /// What the watchdog says of it, which reads on from "it was"; nil for a part of a phase that it does not
    /// tell apart.
    public var operation: String? {
        switch self {
        case .starting: "starting"
        case .readingCheckpoint: "reading a checkpoint"
        case .checkingSubjects: "checking the files of the subjects"
        case .timingConvolutions: "timing convolutions"
        case .planning: "planning the network"
        case .preparing: "preparing the first step"
        case .readingHeaders: "reading the headers of images"
        case .comparingClocks: "comparing the clocks of the ranks"
        case .waitingForPatches: "waiting for patches"
        case .waitingForRanks: "waiting for other ranks"
        case .forward: "computing the forward pass"
        case .microBatch(let number, let count): "computing micro-batch \(number) of \(count)"
        case .gradients: "computing gradients"
        case .reduction: "reducing gradients"
        case .update: "updating the parameters"
        case .comparingReplicas: "comparing the replicas"
        case .choosingBuckets: "choosing the size of buckets"
        case .checkpoint: "writing a checkpoint"
        case .preparingHeldOut: "preparing the held-out subjects"
        case .waitingForHeldOut: "waiting for the held-out subjects of other ranks"
        case .segmentingHeldOut: "segmenting a held-out subject"
        case .recordingHeldOut: "writing the held-out scores"
        case .writingTimeline: "writing the timeline"
        case .loadingPatches, .loss, .checkingGradients, .clippingGradients, .optimiser, .savingCheckpoint,
            .scoringHeldOut:
            nil
        }
    }

    /// The name of its spans in a timeline; nil where it is not drawn, or only as the operations that it
    /// consists of.
    public var span: String? {
        switch self {
        case .waitingForPatches: "waiting for patches"
        case .loadingPatches: "loading patches"
        case .loss: "loss"
        case .checkingGradients: "checking gradients"
        case .clippingGradients: "clipping gradients"
        case .optimiser: "optimiser"
        case .savingCheckpoint: "writing a checkpoint"
        case .scoringHeldOut: "scoring the held-out subjects"
        case .starting, .readingCheckpoint, .checkingSubjects, .timingConvolutions, .planning, .preparing,
            .readingHeaders, .comparingClocks, .waitingForRanks, .forward, .microBatch, .gradients,
            .reduction,
            .update, .comparingReplicas, .choosingBuckets, .checkpoint, .preparingHeldOut, .waitingForHeldOut,
            .segmentingHeldOut, .recordingHeldOut, .writingTimeline:
            nil
        }
    }

    /// The row of a timeline that its spans are drawn on.
    var row: Timeline.Row { self == .waitingForPatches ? .patches : .compute }

    /// Which of a step's times it belongs to, beside the whole; nil where it is computation.
    var column: WritableKeyPath<StepTimes, Double>? {
        switch self {
        case .waitingForPatches: \.data
        case .waitingForRanks: \.communication
        default: nil
        }
    }
}
