import Collectives
import Configuration
import Logging
import RunFiles
import Sampling

/// A run that is ready for its first step: what ``TrainingSetup`` makes and the loop and the ending of a
/// training take.
struct PreparedRun {
    let task: TrainingTask
    let options: TrainingOptions
    let instruments: Instruments
    let placement: Placement
    let assignment: SlotAssignment
    let patches: PatchFeed
    let step: TrainingStep
    let buckets: BucketDecision
    let store: CheckpointStore
    let log: RunLog
    let logger: Logger
    let recorder: RunRecorder
    let progress: RunProgress
    /// Nil where no timeline is asked for.
    let timeline: TimelineRecording?

    /// With the modalities that were found where none were configured.
    var configuration: RunConfiguration { task.configuration }
    var communicator: any Communicator { instruments.communicator }
    var phases: PhaseObservers { instruments.phases }
    /// Rank 0 writes the run's directory.
    var isWriter: Bool { communicator.rank == 0 }

    /// Whether the held-out subjects are to be scored after a step and have not been.
    func evaluationIsDue(after step: Int) -> Bool {
        !task.heldOut.isEmpty && step != progress.scoredStep
            && configuration.evaluate.isDue(after: step, of: configuration.steps)
    }

    /// Whether nothing is left to do: all steps are done, and the held-out subjects scored where that is due.
    /// Equal on all ranks.
    var isComplete: Bool {
        progress.stepsDone >= configuration.steps && !evaluationIsDue(after: progress.stepsDone)
    }
}
