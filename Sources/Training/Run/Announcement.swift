import Collectives
import Configuration
import RunFiles
import Sampling

/// Says in the log what runs where, before the first step.
struct Announcement {
    private let run: PreparedRun

    init(_ run: PreparedRun) { self.run = run }

    func announce() {
        let (communicator, placement, logger) = (run.communicator, run.placement, run.logger)
        let size = communicator.size
        logger.info(
            """
            \(counted(size, "rank")) with \(counted(placement.threads, "thread")) each on \(Set(communicator.hostNames).sorted().joined(separator: ", ")); \(run.step.device.name)
            """)
        if size > 1, run.configuration.distributed.wire == .bfloat16 {
            logger.info(
                "Gradients go over the wire as bfloat16; what rounding takes away goes with the next step's.")
        }
        // Once a node: what it says is about all ranks there.
        let isFirstOfNode = communicator.rank == placement.ranksOnNode.first
        for sentence in [placement.oversubscription, placement.idleCores].compactMap({ $0 })
        where isFirstOfNode {
            logger.warning("\(sentence)")
        }
        announceTask()
    }

    private func announceTask() {
        let (task, configuration, logger) = (run.task, run.configuration, run.logger)
        logger.info(
            """
            \(configuration.network.name.rawValue) with \(run.step.model.parameters.count) parameters; patches of \
            \(task.patchSize) voxels\(task.isPlanar ? " (\(configuration.patch.slices.rawValue) slices)" : ""), effective \
            \(task.effectiveSize), \(patches)
            """)
        if let sentence = task.slicesWarning { logger.warning("\(sentence)") }
        logger.info(
            """
            \(counted(task.subjects.count, "subject")), \(run.assignment.shard.count) in the \
            shard of rank 0\(task.heldOut.isEmpty ? "" : ", and \(task.heldOut.count) held out"); the plan holds \
            \(run.step.activationBytes >> 20) MiB a rank
            """)
        if configuration.data.heldOut > 0, task.heldOut.isEmpty {
            logger.warning(
                """
                data.held_out is \(configuration.data.heldOut), but of a single subject none is held out: no scores \
                will tell how the network does on subjects that it has not seen.
                """)
        }
        let firstStep = run.progress.firstStep
        if firstStep >= configuration.steps {
            logger.notice(
                "Step \(firstStep) of \(configuration.steps) is done already: there is nothing to train.")
        }
    }

    /// How many patches a step has.
    private var patches: String {
        let (batch, count) = (run.configuration.batch, run.configuration.accumulate)
        let step = count == 1 ? "\(batch) a step" : "\(count) x \(batch) a step"
        return "\(step), \(run.assignment.microBatchSlots) a rank" + (count == 1 ? "" : " at once")
    }
}
