import Engine
import Sampling

extension Trainer {
    /// A step as the micro-batches of `accumulate`, their patches copied from `batch` one after the other.
    func microBatches(of batch: PatchBatch, step: Int) -> MicroBatches {
        MicroBatches(of: plan, seed: UInt64(configuration.seed), step: step) {
            [plan, watchdog, timeline] index in
            let count = plan.options.microBatches
            if count > 1 { watchdog.begin("computing micro-batch \(index + 1) of \(count)", step: step) }
            timeline.span("loading patches") { plan.load(batch, microBatch: index) }
        }
    }

    /// How many patches a step has, for the log.
    var patchesText: String {
        let (batch, count) = (configuration.batch, configuration.accumulate)
        let step = count == 1 ? "\(batch) a step" : "\(count) x \(batch) a step"
        return "\(step), \(assignment.microBatchSlots) a rank" + (count == 1 ? "" : " at once")
    }
}
