import Collectives
import Configuration
import Engine
import Logging
import RunFiles
import Sampling

/// What comes before the first step: ranks are compared, the list is read, the network compiled and a
/// checkpoint restored. Whatever can be known to be wrong ends the run here, before it has done anything.
struct TrainingSetup {
    let configuration: RunConfiguration
    let options: TrainingOptions
    let console: Console

    /// Collective.
    /// - Throws: the same on all ranks: errors of the list, the network, memory, files, checkpoints, and
    ///   ``TrainingError``.
    func prepare(on ranks: any Communicator) throws -> PreparedRun {
        // A run may be told to stop while it still reads and plans.
        StopSignals.install()
        try configuration.checkEqual(on: ranks)
        try options.checkEqual(on: ranks)
        let instruments = try Instruments(configuration, options: options, ranks: ranks)
        let (communicator, phases) = (instruments.communicator, instruments.phases)
        let task = try communicator.together { try TrainingTask(configuration) }
        let assignment = try SlotAssignment(
            seed: UInt64(configuration.seed), subjects: task.subjects.count,
            globalSlots: configuration.stepPatches, microBatches: configuration.accumulate,
            rank: communicator.rank, size: communicator.size)
        let placement = try Placement.query(
            on: communicator, threads: configuration.threads.map { .exactly($0) } ?? .automatic)
        try configuration.checkDeterminism(ranks: communicator.size)
        try configuration.checkDeterminism(threads: placement.threads, on: communicator)

        let store = CheckpointStore(runFolder: options.runFolder, keep: configuration.checkpoint.keep)
        let (log, logger) = try openFolder(task, store, on: communicator)
        let restoration = try phases.run(.readingCheckpoint, step: 0) {
            try Restoration(
                task, options: options, store: store, logger: logger, communicator: communicator)
        }
        restoration.warnOfThreads(placement.threads, task.configuration)
        try checkWork(task, restoration, on: communicator, phases)

        let device = try communicator.together { try DeviceChoice.device(threads: placement.threads) }
        let algorithms = try phases.run(.timingConvolutions, step: 0) {
            try AlgorithmDecision(
                task, restoration: restoration, slots: assignment.microBatchSlots, device: device
            ).choose(on: communicator)
        }
        phases.begin(.planning, step: 0)
        let step = try communicator.together {
            try TrainingStep(
                task.configuration, graph: task.graph, inputSize: task.patchSize, loss: task.loss,
                algorithms: algorithms, device: device, communicator: communicator,
                exchange: instruments.exchange, phases: phases)
        }
        step.observer = instruments.note
        let buckets = try BucketDecision(
            task, restoration: restoration, reducer: step.reducer, on: communicator)
        let firstStep = try restoration.restore(step.model, step.optimizer, on: communicator)
        try ReplicaState(task: task, step: step, firstStep: firstStep).check(on: communicator)
        let recorder = try communicator.together {
            try RunRecorder(
                configuration: task.configuration, options: options, log: log, firstStep: firstStep,
                isWriter: communicator.rank == 0)
        }
        let isScored =
            try communicator.allReduce(Int64(recorder.holdsScores(step: firstStep) ? 1 : 0), .maximum) > 0
        return PreparedRun(
            task: task, options: options, instruments: instruments, placement: placement,
            assignment: assignment, patches: PatchFeed(task, assignment, firstStep: firstStep), step: step,
            buckets: buckets, store: store, log: log, logger: logger, recorder: recorder,
            progress: RunProgress(firstStep: firstStep, scoredStep: isScored ? firstStep : nil),
            timeline: TimelineRecording(instruments, path: options.timeline, logger: logger))
    }

    /// Makes the run's directory and opens its log. Collective.
    private func openFolder(
        _ task: TrainingTask, _ store: CheckpointStore, on communicator: any Communicator
    ) throws -> (log: RunLog, logger: Logger) {
        let isWriter = communicator.rank == 0
        let log = try communicator.together {
            if isWriter { try RunFolder.create(options, task: task, store: store) }
            return try RunLog(
                console: console, path: isWriter ? options.runFolder + "/log.txt" : nil,
                quiet: options.quiet || !isWriter)
        }
        var logger = log.logger()
        if !isWriter { logger[metadataKey: "rank"] = "\(communicator.rank)" }
        return (log, logger)
    }

    /// Where steps are left to do, says in the summary that the run is not complete and checks the files of
    /// the subjects. Collective.
    private func checkWork(
        _ task: TrainingTask, _ restoration: Restoration, on communicator: any Communicator,
        _ phases: PhaseObservers
    ) throws {
        // The checkpoint is on rank 0 alone.
        let known = restoration.checkpoint?.step ?? 0
        try communicator.together {
            if communicator.rank == 0, known < configuration.steps {
                try RunSummary.reopen(options.summaryPath)
            }
        }
        guard try communicator.allReduce(Int64(known), .maximum) < Int64(configuration.steps) else { return }
        try phases.run(.checkingSubjects, step: 0) {
            try SubjectCheck(task).run(on: communicator, progress: phases.progressed)
        }
    }
}
