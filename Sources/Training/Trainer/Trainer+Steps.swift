import Collectives
import Engine
import Foundation
import Losses
import RunFiles
import Sampling

extension Trainer {
    /// Waits for the patches of a step; nil when a rank was told to stop.
    ///
    /// One small all-reduce tells all ranks whether one of them was told to stop or has failed in reading its data, so
    /// that all end together.
    func draw(step: Int, _ timer: inout StepTimer) throws -> PatchBatch? {
        watchdog.begin("waiting for patches", step: step)
        let outcome = Result {
            // Before the first step many subjects are read, one after the other.
            try timeline.span("waiting for patches", on: .patches) {
                try source.next(step: step) { watchdog.progress() }
            }
        }
        if let sentences = try? outcome.map({ _ in source.takeNotices() }).get() {
            for sentence in sentences { logger.warning("\(sentence)") }
        }
        watchdog.begin("waiting for other ranks", step: step)
        timer.dataIsThere()
        var word: [Int64] = [Int64(StopSignals.pending ?? 0), (try? outcome.get()) == nil ? 1 : 0]
        try communicator.allReduce(&word, .maximum)
        timer.isAgreed(ranks: communicator.size)
        if word[1] > 0 { _ = try communicator.together { try outcome.get() } }
        let batch = try outcome.get()
        if word[0] > 0 {
            stopSignal = Int32(word[0])
            let name = StopSignals.name(Int32(word[0]))
            logger.notice("\(name) was received: the run stops after step \(step - 1) and can be resumed.")
            return nil
        }
        return batch
    }

    /// Waits for the patches of a step as ``draw(step:_:)`` does. An error of all ranks costs no step: what was done is
    /// saved before it goes on. Collective.
    func drawOrSave(step: Int, _ timer: inout StepTimer) throws -> PatchBatch? {
        do {
            return try draw(step: step, &timer)
        } catch  where isShared(error) && saving.saved < step - 1 {
            do {
                if let failure = try writeCheckpoint(step: step - 1) {
                    logger.warning("\(failure)")
                } else {
                    logger.notice("Step \(step - 1) was the last one; its checkpoint is written.")
                }
            } catch let other {
                logger.warning("\(other)")
            }
            throw error
        }
    }

    /// Whether the step may change the parameters: not where the loss or a gradient is not finite and the configuration
    /// says to skip such steps. Batch norm's running statistics are put back then.
    /// - Throws: ``TrainingError/notFinite(step:what:)`` where it says to stop, and after ten such steps in a row.
    func mayUpdate(_ report: BatchReport, _ batch: PatchBatch, step: Int) throws -> Bool {
        do {
            try checkFinite(report, batch, step: step)
            skippedInARow = 0
            return true
        } catch let error as TrainingError where configuration.optimizer.nonFinite == .skip {
            skippedInARow += 1
            plan.model.statistics.setValues(statisticsBefore)
            // Beside a gradient that is not finite, what rounding took from another can be too large to go on with.
            reducer.forgetResiduals()
            guard skippedInARow < 10 else { throw error }
            logger.warning("\(error) The step is skipped (optimizer.non_finite: skip).")
            return false
        }
    }

    /// Shortens the gradient to the configured norm.
    func clipGradient() {
        guard let longest = configuration.optimizer.clip else { return }
        timeline.span("clipping gradients") {
            let norm = plan.model.gradients.norm(passes)
            if norm > longest { plan.model.gradients.scale(by: Float(longest / norm), passes) }
        }
    }

    /// Writes a checkpoint; where the file system does not take it, says so and leaves it to the next step. Collective.
    func saveOrPostpone(step: Int) throws {
        let failure = try writeCheckpoint(step: step)
        if let failure {
            if saving.failures == 0 {
                logger.warning(
                    "\(failure) Older checkpoints stay, training goes on, and it is tried again after each step."
                )
            }
            saving.failures += 1
            return
        }
        if saving.failures > 0 {
            logger.notice("The checkpoint of step \(step) is written, after \(saving.failures) that failed.")
        }
        saving = Saving(saved: step)
    }

    /// Writes the checkpoint that a run ends with, in three attempts some seconds apart. Collective.
    /// - Throws: the same on all ranks, where it could not be written; older checkpoints stay.
    func saveAtLast(step: Int) throws {
        for pause in [1.0, 4.0] {
            guard let failure = try writeCheckpoint(step: step) else { return }
            logger.warning("\(failure) It is tried again.")
            Thread.sleep(forTimeInterval: pause)
        }
        if let failure = try writeCheckpoint(step: step) { throw TrainingError.notSaved(failure) }
    }

    /// Writes a checkpoint on rank 0. Collective. What it does not hold, rounded gradients' residuals, is dropped then, so
    /// that a run that is resumed here goes on as this one.
    /// - Returns: on all ranks the sentence of the file system where it could not be written.
    private func writeCheckpoint(step: Int) throws -> String? {
        watchdog.begin("writing a checkpoint", step: step)
        let failure = try communicator.together {
            try isWriter ? timeline.span("writing a checkpoint") { try save(step: step) } : ""
        }
        let sentence = try communicator.broadcast(failure, from: 0)
        guard sentence.isEmpty else { return sentence }
        reducer.forgetResiduals()
        return nil
    }

    /// - Returns: the sentence of the file system where the checkpoint could not be written; empty where it is.
    private func save(step: Int) throws -> String {
        let slices = plan.model.parameters.slices
        let checkpoint = Checkpoint(
            step: step, network: configuration.network.name.rawValue, configurationText: configuration.yaml,
            ranks: communicator.size, threads: placement.threads,
            algorithms: plan.options.algorithms.text, bucketCount: buckets.chosenCount ?? 0,
            subjects: task.names, grids: grids,
            tensors: slices.tensors(of: plan.model.parameters.values)
                + plan.model.statistics.slices.tensors(of: plan.model.statistics.values)
                + optimizer.tensors(slices))
        recorder.synchronise()
        do {
            try store.save(checkpoint)
        } catch let error as FileError {
            return "\(error)"
        }
        return ""
    }

    /// Notes what a step gave.
    func record(_ report: BatchReport, _ times: StepTimer.Times, step: Int) {
        let voxels = Double(configuration.stepPatches * task.patchSize.count)
        let generalisedDice = report.value(of: GeneralisedDiceLoss(pooling: task.loss.pooling))
        recorder.record(
            StepMetrics(
                step: step, loss: report.loss, generalisedDice: generalisedDice, dice: report.dice,
                imbalance: report.foregroundFraction, learningRate: configuration.optimizer.learningRate,
                stepSeconds: times.step, dataSeconds: times.data, communicationSeconds: times.communication,
                voxelsPerSecond: voxels / max(times.step, 1e-9)), times)
    }
}

/// Where the time of a step goes.
struct StepTimer {
    struct Times {
        var step = 0.0
        /// Waiting for patches.
        var data = 0.0
        /// In communication that computation did not hide, waiting for slower ranks included.
        var communication = 0.0
        /// What of it the gradients' reduction took, and what it takes with nothing beside it.
        var reduction = 0.0
        var baseline = 0.0
    }

    private let begin = ContinuousClock.now
    private var mark = ContinuousClock.now
    private let exchange: RankExchange
    private let exchangedBefore: Double
    private var agreement = 0.0

    init(_ exchange: RankExchange) {
        self.exchange = exchange
        exchangedBefore = exchange.seconds
    }

    mutating func dataIsThere() { mark = .now }

    mutating func isAgreed(ranks: Int) { agreement = ranks > 1 ? mark.secondsSince : 0 }

    func end(_ batch: PatchBatch, _ reduction: ReductionTimes) -> Times {
        Times(
            step: begin.secondsSince, data: batch.secondsWaited,
            communication: agreement + exchange.seconds - exchangedBefore + reduction.communicationSeconds,
            reduction: reduction.communicationSeconds, baseline: reduction.baselineSeconds ?? 0)
    }
}
