import Foundation

/// A run among those that a report compares.
public struct ComparedRun: Sendable {
    /// What became of it.
    public enum Outcome: Sendable {
        /// All its steps are done.
        case finished(RunRecord)
        /// It has been stopped, and can go on.
        case unfinished(RunRecord)
        /// It ended with this sentence; its records, where it came to any.
        case failed(String, RunRecord?)
        /// It has not begun.
        case notRun
    }

    /// Its folder's name.
    public let name: String
    /// The network as the configuration names it, or a label of one's own.
    public let network: String
    /// Voxels of the patch, and how many make a step.
    public let patch: PatchSetting
    /// The optimiser's learning rate.
    public let learningRate: Double
    /// The loss, or the name of a variant of it.
    public let loss: String
    /// What became of the run, with what it recorded.
    public let outcome: Outcome

    public init(
        name: String, network: String, patch: PatchSetting, learningRate: Double, loss: String,
        outcome: Outcome
    ) {
        (self.name, self.network, self.patch) = (name, network, patch)
        (self.learningRate, self.loss, self.outcome) = (learningRate, loss, outcome)
    }

    /// A run by itself: what it is compared by is read from its configuration.
    public init(_ record: RunRecord) {
        let configuration = record.configuration
        let added = configuration.loss.add.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "+" + ($0.value == 1 ? "" : "\($0.value)") + $0.key.rawValue }
        self.init(
            name: record.name, network: configuration.network.name.rawValue,
            patch: PatchSetting(
                size: record.inputPatch, effective: record.effectivePatch,
                batch: configuration.stepPatches),
            learningRate: configuration.optimizer.learningRate,
            loss: configuration.loss.name.rawValue + added.joined(),
            outcome: record.isComplete ? .finished(record) : .unfinished(record))
    }

    /// Sorted by loss as in the paper's tables; others after them, in their order.
    public static func inPaperOrder(_ runs: [ComparedRun]) -> [ComparedRun] {
        let order = ["wce", "dl2", "ss", "gdl"]
        func place(_ run: ComparedRun) -> Int { order.firstIndex(of: run.loss) ?? order.count }
        return runs.enumerated().sorted { (place($0.element), $0.offset) < (place($1.element), $1.offset) }
            .map(\.element)
    }

    /// What it recorded, whatever became of it.
    var record: RunRecord? {
        switch outcome {
        case .finished(let record), .unfinished(let record): record
        case .failed(_, let record): record
        case .notRun: nil
        }
    }

    /// What it recorded, if all steps are done: only such runs are compared.
    var result: RunRecord? {
        if case .finished(let record) = outcome { record } else { nil }
    }
}

/// A patch size with the batch that goes with it.
public struct PatchSetting: Hashable, Sendable {
    /// Depth, height and width of the network's input, in voxels.
    public let size: [Int]
    /// Depth, height and width of the patch that the loss is taken on, in voxels.
    public let effective: [Int]
    /// Patches a step.
    public let batch: Int

    public init(size: [Int], effective: [Int], batch: Int) {
        precondition(size.count == 3 && effective.count == 3, "patches of \(size) and \(effective)")
        (self.size, self.effective, self.batch) = (size, effective, batch)
    }

    /// Whether it is a slice.
    public var isFlat: Bool { size[0] == 1 }

    /// The edge of the effective patch in voxels; of one with unequal edges their geometric mean.
    public var effectiveEdge: Double {
        let edges = effective.filter { $0 > 1 }.map(Double.init)
        guard let first = edges.first else { return 1 }
        if edges.allSatisfy({ $0 == first }) { return first }
        let product = edges.reduce(1, *)
        return pow(product, 1 / Double(edges.count))
    }
}
