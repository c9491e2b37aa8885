import Collectives
import Configuration
import Engine

extension TrainingStep {
    /// Throws on all ranks where the loss or a summed gradient is not finite; both are equal on all ranks.
    func checkFinite(
        _ report: BatchReport, _ patches: some StepPatches, step: Int
    ) throws {
        // A loss may take sums that are no numbers for those of no voxel.
        let sums = report.sums.prediction + report.sums.intersection
        if !report.loss.isFinite || !sums.allSatisfy(\.isFinite) {
            var what = "the loss"
            if let slot = report.slotLosses.firstIndex(where: { !$0.isFinite }) {
                what += " on the patch " + (try place(of: slot, in: patches))
            }
            throw TrainingError.notFinite(step: step, what: what)
        }
        let isFinite = phases.run(.checkingGradients, step: step) { device.isFinite(model.gradients) }
        guard !isFinite else { return }
        let gradients = model.gradients
        let entry = gradients.entries.first { entry in gradients[entry.name].contains { !$0.isFinite } }
        let (slot, value) = try largestInput(of: patches)
        throw TrainingError.notFinite(
            step: step,
            what: """
                the gradient of \(entry?.name ?? "a parameter") (the patches' largest value is \(value), in the one \
                \(try place(of: slot, in: patches)))
                """)
    }

    /// Slots of a rank in a step, all micro-batches together.
    private var rankSlots: Int { configuration.stepPatches / communicator.size }

    /// Which patch a slot drew: "of 0003 at voxel (12, 40, 7)". Collective.
    private func place(of slot: Int, in patches: some StepPatches) throws -> String {
        let place = patches.place(ofGlobalSlot: slot) ?? "of slot \(slot)"
        return try communicator.broadcast(place, from: slot / rankSlots)
    }

    /// The slot of the step whose patch has the largest absolute value, the likeliest cause of a gradient
    /// that is not finite. Collective.
    private func largestInput(of patches: some StepPatches) throws -> (slot: Int, value: Float) {
        let own = (0..<rankSlots).map { slot in
            patches.withImages(slot: slot) { $0.reduce(0) { max($0, abs($1)) } }
        }
        let all = try communicator.allGather(own)
        let largest = all.max() ?? 0
        return (all.firstIndex(of: largest) ?? 0, largest)
    }
}
