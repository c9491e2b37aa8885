import Configuration
import RunFiles
import Sampling
import Training

/// One run of a sweep.
public struct SweepCell: Sendable {
    /// Its folder: network, patch, batch, learning rate and loss, as in `highres3dnet-p51-b5-lr1e-3-gdl`.
    public let name: String
    /// The network, or the sweep's label for a variant of it.
    public let network: String
    /// The loss, or the sweep's label for a variant of it.
    public let loss: String
    /// The whole run.
    public let configuration: RunConfiguration

    init(network: String, loss: String, configuration: RunConfiguration) {
        self.network = network
        self.loss = loss
        self.configuration = configuration
        let edges = configuration.patch.size
        let size = Set(edges).count == 1 ? "\(edges[0])" : edges.map(String.init).joined(separator: "x")
        let rate = Quantity.scientificText(configuration.optimizer.learningRate)
        name = "\(network)-p\(size)-b\(configuration.batch)-lr\(rate)-\(loss)"
    }

    public var learningRate: Double { configuration.optimizer.learningRate }

    /// What all steps cost in relation to other cells; 0 where the network does not take the patch.
    public var cost: Double { ((try? configuration.stepCost()) ?? 0) * Double(configuration.steps) }

    /// Checks that it can be run: the list can be read, the network takes the patch, the ranks divide the
    /// batch.
    /// - Parameter ranks: that train it together.
    /// - Returns: the run with what it names.
    /// - Throws: ``SweepError/cell(_:reason:)``.
    public func task(ranks: Int) throws(SweepError) -> TrainingTask {
        do {
            let task = try TrainingTask(configuration)
            try configuration.checkRanks(ranks, subjects: task.subjects.count)
            return task
        } catch {
            throw .cell(name, reason: "\(error)")
        }
    }
}

extension RunConfiguration {
    /// - Throws: `SlotAssignmentError` where a run on so many ranks would.
    fileprivate func checkRanks(_ ranks: Int, subjects: Int) throws {
        _ = try SlotAssignment(
            seed: UInt64(seed), subjects: subjects, globalSlots: stepPatches, microBatches: accumulate,
            rank: 0, size: ranks)
    }
}
