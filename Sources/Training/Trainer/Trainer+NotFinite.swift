import Collectives
import Engine
import Sampling

extension Trainer {
    /// Throws on all ranks where the loss or a summed gradient is not finite; both are equal on all ranks.
    func checkFinite(_ report: BatchReport, _ batch: PatchBatch, step: Int) throws {
        // A loss may take sums that are no numbers for those of no voxel.
        let sums = report.sums.prediction + report.sums.intersection
        if !report.loss.isFinite || !sums.allSatisfy(\.isFinite) {
            var what = "the loss"
            if let slot = report.slotLosses.firstIndex(where: { !$0.isFinite }) {
                what += " on the patch " + (try place(of: slot, in: batch))
            }
            throw TrainingError.notFinite(step: step, what: what)
        }
        let isFinite = timeline.span("checking gradients") { plan.model.gradients.isFinite(passes) }
        guard !isFinite else { return }
        let gradients = plan.model.gradients
        let entry = gradients.entries.first { entry in gradients[entry.name].contains { !$0.isFinite } }
        let (slot, value) = try largestInput(of: batch)
        throw TrainingError.notFinite(
            step: step,
            what: """
                the gradient of \(entry?.name ?? "a parameter") (the patches' largest value is \(value), in the one \
                \(try place(of: slot, in: batch)))
                """)
    }

    /// Which patch a slot drew: "of 0003 at voxel (12, 40, 7)". Collective.
    private func place(of slot: Int, in batch: PatchBatch) throws -> String {
        let record = batch.records.first { $0.slot == slot }
        let place = record.map { "of \($0.subject) at voxel \($0.position)" } ?? "of slot \(slot)"
        return try communicator.broadcast(place, from: slot / assignment.localSlots.count)
    }

    /// The slot of the step whose patch has the largest absolute value, the likeliest cause of a gradient that is not
    /// finite. Collective.
    private func largestInput(of batch: PatchBatch) throws -> (slot: Int, value: Float) {
        let own = assignment.localSlots.indices.map { slot in
            batch.withImages(slot: slot - assignment.localSlots.lowerBound) {
                $0.reduce(0) { max($0, abs($1)) }
            }
        }
        let all = try communicator.allGather(own)
        let largest = all.max() ?? 0
        return (all.firstIndex(of: largest) ?? 0, largest)
    }
}
