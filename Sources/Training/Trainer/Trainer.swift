import Collectives
import Configuration
import Engine
import Foundation
import Logging
import RunFiles
import Sampling

/// Trains a network on the ranks of a communicator and keeps the run's directory. Rank 0 writes.
///
/// ```swift
/// let summary = try World.run { communicator in
///     try Trainer(configuration, options: TrainingOptions(runFolder: "run"), communicator: communicator).run()
/// }
/// ```
public final class Trainer {
    let configuration: RunConfiguration
    let options: TrainingOptions
    let communicator: any Communicator
    let placement: Placement
    let task: TrainingTask
    let assignment: SlotAssignment
    let exchange: RankExchange
    let plan: Plan
    let optimizer: any Optimizer
    let reducer: GradientReducer
    var buckets: BucketDecision
    let store: CheckpointStore
    let log: RunLog
    let logger: Logger
    /// Optimiser steps done before this start.
    let firstStep: Int
    /// The newest step whose held-out scores are recorded, as far as this start knows.
    var scoredStep: Int?
    /// Reads ahead from its first use on.
    lazy var source = PatchSource(
        files: task.subjects, reader: task.reader, assignment: assignment,
        options: configuration.patchOptions(input: task.patchSize, effective: task.effectiveSize),
        firstStep: firstStep + 1)
    let watchdog: Watchdog
    var saving = Saving(saved: 0)
    /// Of the subjects to train on; nil before they are looked at.
    var grids: GridSummary?
    /// The signal by which the run stopped before its end, equal on all ranks; nil for none.
    public internal(set) var stopSignal: Int32?
    /// Steps in a row that were not finite and changed nothing.
    var skippedInARow = 0
    /// Batch norm's running statistics before the step, where a step may be skipped.
    var statisticsBefore: [Float] = []
    let recorder: RunRecorder
    /// What is drawn of this rank; nil where none is asked for.
    let timeline: Timeline?
    /// While the timeline is recorded.
    var timelineStart: TimelineStart?

    var isWriter: Bool { communicator.rank == 0 }
    var passes: PassOptions { PassOptions(instructionSet: plan.instructionSet, threads: placement.threads) }

    /// Reads the list, compiles the network and restores a checkpoint. Collective.
    ///
    /// The plan belongs to the calling thread, which must be the one that runs.
    /// - Throws: the same on all ranks: errors of the list, the network, memory, files, checkpoints, and
    ///   ``TrainingError``.
    public init(
        _ configuration: RunConfiguration, options: TrainingOptions, communicator ranks: any Communicator,
        console: Console = Console()
    ) throws {
        // A run may be told to stop while it still reads and plans.
        StopSignals.install()
        let isWriter = ranks.rank == 0
        try configuration.checkEqual(on: ranks)
        try options.checkEqual(on: ranks)
        let lastWord = LastWord(runFolder: options.runFolder)
        let watchdog = try Watchdog(
            seconds: Double(configuration.distributed.timeout), communicator: ranks, warn: lastWord.warn,
            expire: lastWord.say)
        let timeline = options.timeline.map { _ in
            Timeline(capacity: Timeline.capacity(ranks: ranks.size))
        }
        let communicator = ObservedCommunicator(ranks, observers: [watchdog] + (timeline.map { [$0] } ?? []))
        let task = try communicator.together { try TrainingTask(configuration) }
        let assignment = try SlotAssignment(
            seed: UInt64(configuration.seed), subjects: task.subjects.count,
            globalSlots: configuration.stepPatches,
            microBatches: configuration.accumulate, rank: communicator.rank, size: communicator.size)
        let placement = try Placement.query(
            on: communicator, threads: configuration.threads.map { .exactly($0) } ?? .automatic)
        try configuration.checkDeterminism(ranks: communicator.size)
        try configuration.checkDeterminism(threads: placement.threads, on: communicator)
        let store = CheckpointStore(runFolder: options.runFolder, keep: configuration.checkpoint.keep)
        let log = try communicator.together {
            if isWriter { try RunFolder.create(options, task: task, store: store) }
            return try RunLog(
                console: console, path: isWriter ? options.runFolder + "/log.txt" : nil,
                quiet: options.quiet || !isWriter)
        }
        var logger = log.logger()
        if !isWriter { logger[metadataKey: "rank"] = "\(communicator.rank)" }
        watchdog.begin("reading a checkpoint", step: 0)
        let restoration = try Restoration(
            task, options: options, store: store, logger: logger, communicator: communicator)
        restoration.warnOfThreads(placement.threads, task.configuration)
        try communicator.together {
            if isWriter, restoration.checkpoint?.step ?? 0 < configuration.steps {
                try RunSummary.reopen(options.summaryPath)
            }
        }
        if try communicator.allReduce(Int64(restoration.checkpoint?.step ?? 0), .maximum)
            < Int64(configuration.steps)
        {
            watchdog.begin("checking the files of the subjects", step: 0)
            try SubjectCheck(task).run(on: communicator, progress: watchdog.progress)
        }
        watchdog.begin("timing convolutions", step: 0)
        let algorithms = try AlgorithmDecision(
            task, restoration: restoration, slots: assignment.microBatchSlots, threads: placement.threads
        ).choose(on: communicator)
        watchdog.begin("planning the network", step: 0)
        let exchange = RankExchange(communicator)
        let plan = try communicator.together {
            try Plan(
                training: task.graph, inputSize: task.patchSize,
                options: Plan.Options(
                    slots: assignment.microBatchSlots, firstSlot: assignment.localSlots.lowerBound,
                    globalSlots: configuration.batch, threads: placement.threads,
                    batchStatistics: configuration.network.batchNorm == .global ? .global : .rank,
                    algorithms: algorithms,
                    gradientsBySlot: configuration.distributed.reduction == .deterministic,
                    microBatches: configuration.accumulate,
                    plansSharingMemory: placement.ranksOnNode.count),
                loss: task.loss, exchange: exchange)
        }
        plan.model.initialise(seed: UInt64(configuration.seed))
        let optimizer = configuration.optimizer.make(
            parameterCount: plan.model.parameters.count,
            options: PassOptions(instructionSet: plan.instructionSet, threads: placement.threads))

        self.configuration = task.configuration
        self.options = options
        self.watchdog = watchdog
        self.communicator = communicator
        self.placement = placement
        self.task = task
        self.assignment = assignment
        self.exchange = exchange
        self.plan = plan
        self.optimizer = optimizer
        self.store = store
        self.log = log
        self.logger = logger
        self.timeline = timeline
        reducer = GradientReducer(
            communicator: communicator, arena: plan.model.gradients,
            bucketMebibytes: configuration.distributed.bucketMebibytes,
            order: configuration.distributed.order)
        buckets = try BucketDecision(task, restoration: restoration, reducer: reducer, on: communicator)
        firstStep = try restoration.restore(plan.model, optimizer, on: communicator)
        try ReplicaState(task: task, plan: plan, firstStep: firstStep).check(on: communicator)
        let kept = firstStep
        // The passes over a large patch may take longer than the timeout; an operation does not.
        plan.observer = {
            watchdog.progress()
            timeline?.note($0)
        }
        recorder = try communicator.together {
            try RunRecorder(
                configuration: task.configuration, options: options, log: log, firstStep: kept,
                isWriter: isWriter)
        }
        let isScored = try communicator.allReduce(Int64(recorder.holdsScores(step: kept) ? 1 : 0), .maximum)
        scoredStep = isScored > 0 ? kept : nil
    }

    /// Trains up to the configured number of steps, or until a signal asks to stop, and scores the held-out subjects where
    /// that is due. Collective.
    /// - Returns: the run's summary; nil where no step was done: see ``isComplete``.
    /// - Throws: errors of data, files and MPI, and ``TrainingError/notFinite(step:what:)``.
    public func run() throws -> RunSummary? {
        defer { watchdog.stop() }
        watchdog.begin("preparing the first step", step: firstStep)
        announce()
        guard firstStep < configuration.steps || evaluationIsDue(firstStep) else {
            if timeline != nil { logger.notice("No timeline is written.") }
            try noteCompletion(nil)
            return nil
        }
        let summary: RunSummary?
        do {
            summary = try firstStep < configuration.steps ? train() : scoreTrained()
        } catch {
            recorder.finish()
            try? recorder.writeRest()
            log.keep(.error, "\(error)")
            if isShared(error) { try? finishTimeline() }
            throw error
        }
        try finishTimeline()
        return summary
    }

    private func train() throws -> RunSummary? {
        try compareGrids()
        if let sentence = watchdog.warning { logger.warning("\(sentence)") }
        // What an earlier start has not come to.
        _ = try evaluate(step: firstStep)
        try reducer.calibrate()
        try startTimeline()
        var step = firstStep
        saving = Saving(saved: step)
        while step < configuration.steps {
            var timer = StepTimer(exchange)
            timeline?.stepBegins()
            guard let batch = try drawOrSave(step: step + 1, &timer) else { break }
            step += 1
            statisticsBefore = configuration.optimizer.nonFinite == .skip ? plan.model.statistics.values : []
            let parts = microBatches(of: batch, step: step)
            watchdog.begin("computing the forward pass", step: step)
            try parts.forward()
            let report = try timeline.span("loss") { try parts.loss() }
            watchdog.begin("computing gradients", step: step)
            try parts.backward { range in
                try reducer.completed(range)
                try reducer.poll()
            }
            watchdog.begin("reducing gradients", step: step)
            let reduction = try reducer.finish()
            watchdog.begin("updating the parameters", step: step)
            if try mayUpdate(report, batch, step: step) {
                clipGradient()
                timeline.span("optimiser") {
                    optimizer.update(plan.model.parameters, gradients: plan.model.gradients, step: step)
                }
            }
            record(report, timer.end(batch, reduction), step: step)
            try compareReplicas(step: step)
            timeline?.stepEnds(step)
            guard step < configuration.steps else { break }
            try chooseBuckets(step: step)
            if step % configuration.checkpoint.every == 0 || evaluationIsDue(step) || saving.failures > 0 {
                try saveOrPostpone(step: step)
            }
            _ = try evaluate(step: step)
        }
        // Before the checkpoint, so that a start that finds all steps done finds their summary too.
        var summary = try finish(step: step)
        if saving.saved < step { try saveAtLast(step: step) }
        if step == configuration.steps {
            summary?.heldOut = try evaluate(step: step)
            summary?.complete = isComplete
            try summary.map(write)
        }
        try communicator.together { try recorder.writeRest() }
        return summary
    }

    /// Scores a run whose steps were all done before, and adds the scores to its summary.
    private func scoreTrained() throws -> RunSummary? {
        try communicator.together {
            if isWriter { try RunSummary.reopen(summaryPath) }
        }
        try startTimeline()
        try noteCompletion(evaluate(step: firstStep))
        try communicator.together { try recorder.writeRest() }
        return nil
    }

    /// Brings the summary of a run up to date whose steps were all done before. Collective.
    private func noteCompletion(_ scores: HeldOutScores?) throws {
        try communicator.together {
            guard isWriter, let before = try? RunSummary(contentsOf: summaryPath), before.steps == firstStep
            else { return }
            var summary = before
            summary.heldOut = scores ?? before.heldOut
            summary.complete = isComplete
            if summary != before { try summary.write(to: summaryPath) }
        }
    }
}

/// Which checkpoint was the last to be written.
struct Saving {
    var saved: Int
    /// Since then.
    var failures = 0
}
