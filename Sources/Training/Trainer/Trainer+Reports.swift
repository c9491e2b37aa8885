import Collectives
import Engine
import Foundation
import Glibc
import RunFiles
import Sampling

extension Trainer {
    /// Says what runs where.
    func announce() {
        let size = communicator.size
        logger.info(
            """
            \(counted(size, "rank")) with \(counted(placement.threads, "thread")) each on \(Set(communicator.hostNames).sorted().joined(separator: ", ")); \(plan.instructionSet) kernels
            """)
        if size > 1, configuration.distributed.wire == .bfloat16 {
            logger.info(
                "Gradients go over the wire as bfloat16; what rounding takes away goes with the next step's.")
        }
        // Once a node: what it says is about all ranks there.
        let isFirstOfNode = communicator.rank == placement.ranksOnNode.first
        for sentence in [placement.oversubscription, placement.idleCores].compactMap({ $0 })
        where isFirstOfNode {
            logger.warning("\(sentence)")
        }
        logger.info(
            """
            \(configuration.network.name.rawValue) with \(plan.model.parameters.count) parameters; patches of \
            \(task.patchSize) voxels\(task.isPlanar ? " (\(configuration.patch.slices.rawValue) slices)" : ""), effective \
            \(task.effectiveSize), \(patchesText)
            """)
        if let sentence = task.slicesWarning { logger.warning("\(sentence)") }
        logger.info(
            """
            \(counted(task.subjects.count, "subject")), \(assignment.shard.count) in the \
            shard of rank 0\(task.heldOut.isEmpty ? "" : ", and \(task.heldOut.count) held out"); the plan holds \
            \(plan.peakBytes >> 20) MiB a rank
            """)
        if configuration.data.heldOut > 0, task.heldOut.isEmpty {
            logger.warning(
                """
                data.held_out is \(configuration.data.heldOut), but of a single subject none is held out: no scores \
                will tell how the network does on subjects that it has not seen.
                """)
        }
        if firstStep >= configuration.steps {
            logger.notice(
                "Step \(firstStep) of \(configuration.steps) is done already: there is nothing to train.")
        }
    }

    /// Optimiser steps done in all.
    public var stepsDone: Int { firstStep + recorder.steps }

    /// Whether nothing is left to do: all steps are done, and the held-out subjects scored where that is due. Equal on all
    /// ranks; of use after ``run()``.
    public var isComplete: Bool {
        stepsDone >= configuration.steps && !evaluationIsDue(stepsDone)
    }

    /// Writes and returns the summary of the training, not complete yet. Collective.
    func finish(step: Int) throws -> RunSummary? {
        recorder.finish()
        let peak = Int(try communicator.allReduce(Int64(peakMemoryBytes()), .maximum))
        let total = recorder.total
        guard let last = recorder.last, total.step > 0 else { return nil }
        let voxels = Double(recorder.steps * configuration.stepPatches * task.patchSize.count)
        let hidden = total.baseline > 0 ? min(max(1 - total.reduction / total.baseline, 0), 1) : nil
        let summary = RunSummary(
            steps: step, complete: false, finalLoss: last.loss, dice: recorder.dice,
            seconds: total.step, voxelsPerSecond: voxels / total.step, ranks: communicator.size,
            threads: placement.threads, peakMemoryBytes: peak,
            communicationShare: total.communication / total.step,
            reductionHiddenShare: hidden, dataShare: total.data / total.step, versions: versions)
        try write(summary)
        logger.info(
            """
            Step \(step) of \(configuration.steps): loss \(Self.digits(last.loss)), median DSC \(Self.digits(summary.dscMedian)) of the last \
            \(Quantity.lastSteps(summary.dscSteps)), \(Quantity.duration(summary.seconds)), \
            \(Quantity.short(summary.voxelsPerSecond)) voxels/s, communication \
            \(Self.percent(summary.communicationShare))\(hidden.map { ", \(Self.percent($0)) of the reduction hidden" } ?? ""), \
            waiting for data \(Self.percent(summary.dataShare))
            """)
        return summary
    }

    /// Writes `summary.json`. Collective.
    func write(_ summary: RunSummary) throws {
        try communicator.together {
            if isWriter { try summary.write(to: summaryPath) }
        }
    }

    var summaryPath: String { options.summaryPath }

    static func digits(_ value: Double) -> String { String(format: "%.4f", value) }

    private static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

    private var versions: [String: String] {
        var versions = ["onednn": OneDNN.version]
        if !options.version.isEmpty { versions["dicerank"] = options.version }
        if communicator.size > 1, let library = try? MPILibrary.load() { versions["mpi"] = library.summary }
        return versions
    }

    /// The largest memory that this process has had resident.
    private func peakMemoryBytes() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}
