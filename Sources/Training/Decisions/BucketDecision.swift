import Collectives
import RunFiles

/// Chooses the size of the gradients' buckets where the configuration leaves it open: once in a run, after
/// its first step, by what that step and a few reductions took.
///
/// On more than two ranks the order of addition may depend on the size, so that a checkpoint keeps the choice
/// and a resume on as many ranks takes it from there: it then repeats the bits.
final class BucketDecision {
    /// Values in a bucket; nil until they are chosen, and where they are not.
    private(set) var chosenCount: Int?
    private let isOpen: Bool

    /// Takes what a checkpoint keeps. Collective.
    init(
        _ task: TrainingTask, restoration: Restoration, reducer: GradientReducer,
        on communicator: any Communicator
    ) throws {
        isOpen = task.configuration.distributed.bucketMebibytes == nil && communicator.size > 1
        guard isOpen else { return }
        let kept = restoration.checkpoint.map { $0.ranks == communicator.size ? $0.bucketCount : 0 } ?? 0
        let count = Int(try communicator.allReduce(Int64(kept), .maximum))
        guard count > 0 else { return }
        reducer.setBucketCount(count)
        chosenCount = count
    }

    /// Chooses after a step, where that is due. Collective.
    func chooseIfDue(_ run: PreparedRun, step: Int) throws {
        guard isOpen, chosenCount == nil else { return }
        try run.phases.run(.choosingBuckets, step: step) { try choose(run) }
    }

    private func choose(_ run: PreparedRun) throws {
        let reducer = run.step.reducer
        // Of a small network a few steps' worth of time is enough.
        let budget = min(0.8, 4 * reducer.profile.endSeconds)
        let longest = try run.communicator.allReduce(budget, .maximum)
        let tuning = try reducer.tuneBuckets(budget: longest)
        chosenCount = reducer.bucketCount
        if let tuning { run.logger.debug("\(tuning.sentence)") }
    }
}

extension BucketTuning {
    /// For the log.
    var sentence: String {
        let longest =
            timings.points.last.map { ", \(Self.size($0.bytes)) took \(Self.time($0.seconds))" } ?? ""
        return """
            Gradients are reduced in buckets of \(Self.size(chosen)), which should leave \(Self.time(exposedChosen)) \
            after backward\(chosen == before ? "" : ", where \(Self.size(before)) leave \(Self.time(exposedBefore))"); \
            \(timings.points.count) sizes were timed for \(Self.time(seconds))\(longest)
            """
    }

    private static func size(_ bytes: Int) -> String {
        bytes < 1 << 20 ? "\(bytes >> 10) KiB" : "\(Quantity.short(Double(bytes) / 1_048_576)) MiB"
    }

    private static func time(_ seconds: Double) -> String { "\(Quantity.short(seconds * 1e3)) ms" }
}
