import Collectives
import Configuration
import Engine
import Geometry
import Losses
import Networks
import RunFiles
import Sampling

/// A configuration with the things that it names: the data set, the network and the loss.
public struct TrainingTask {
    /// With the modalities that were found where none were configured.
    public let configuration: RunConfiguration
    /// Those to train on, without the ones held out.
    public let subjects: [SubjectFiles]
    /// Those that training does not see.
    public let heldOut: [SubjectFiles]
    /// Of all subjects, in the order of the list.
    public let names: SubjectNames
    public let reader: SubjectReader
    public let network: any Network
    /// The network with the border that training leaves off.
    public let graph: Graph
    public let loss: any SegmentationLoss
    /// Of the network's input.
    public let patchSize: Size3
    /// Of the patch that the loss is taken on.
    public let effectiveSize: Size3

    /// Of all files that the list names for the run, and the list.
    package var paths: [String] { [configuration.data.list] + (subjects + heldOut).flatMap(\.paths) }

    /// Reads the list of subjects; opens no image.
    /// - Throws: `SubjectListError`, `NetworkError` or `EngineError`.
    public init(_ configuration: RunConfiguration) throws {
        let data = configuration.data
        let list = try SubjectList(reading: data.list)
        var resolved = configuration
        if data.modalities.isEmpty {
            resolved.data.modalities = list.columns.filter { $0 != data.reference && $0 != data.mask }
        }
        guard !resolved.data.modalities.isEmpty else {
            throw TrainingError.noModality(list: data.list, columns: list.columns)
        }
        self.configuration = resolved
        let files = try list.files(
            modalities: resolved.data.modalities, reference: data.reference, mask: data.mask)
        names = SubjectNames(of: list)
        let split = configuration.split(subjects: files.count)
        subjects = split.training.map { files[$0] }
        heldOut = split.heldOut.map { files[$0] }
        network = try configuration.network.make(
            inputChannels: resolved.data.modalities.count, classes: data.classes)
        reader = try configuration.reader(for: network)
        patchSize = try configuration.patchSize(for: network)
        // The network leaves an axis of one voxel as it is: patches may be slices.
        for edge in Set([patchSize.depth, patchSize.height, patchSize.width]).sorted() where edge > 1 {
            _ = try network.effectiveEdge(ofPatch: edge)
        }
        graph = network.graph()
        effectiveSize = try graph.outputSize(inputSize: patchSize)
        loss = configuration.loss.make()
    }
}

extension RunConfiguration.Distributed {
    /// How gradients are summed.
    public var order: GradientReducer.Order {
        switch (reduction, wire) {
        case (.deterministic, _): .tree
        case (.fast, .float32): .any
        case (.fast, .bfloat16): .bfloat16
        }
    }
}

extension RunConfiguration {
    /// - Throws: ``TrainingError/notDeterministic(found:expected:)`` where the number of ranks would change
    ///   the result although none may.
    public func checkDeterminism(ranks: Int) throws {
        guard distributed.reduction == .deterministic else { return }
        guard ranks & (ranks - 1) == 0 else {
            throw TrainingError.notDeterministic(
                found: "\(ranks) ranks",
                expected: "1, 2, 4, 8 or another power of two, which one tree of sums can hold")
        }
        guard network.batchNorm == .global || network.normalisation ?? .batch != .batch || ranks == 1 else {
            throw TrainingError.notDeterministic(
                found: "network.batch_norm: rank",
                expected: "global: statistics of a rank depend on their number")
        }
    }

    /// Compares the threads of all ranks, which must be equal where no bit may depend on who computes a slot:
    /// sums over voxels in the gradients of convolutions are formed a thread at a time. Collective.
    /// - Throws: ``TrainingError/notDeterministic(found:expected:)``, the same on all ranks.
    func checkDeterminism(threads: Int, on communicator: any Communicator) throws {
        try checkDeterminism(
            threads: try communicator.allGather([Int64(threads)]), hosts: communicator.hostNames)
    }

    /// - Parameters:
    ///   - threads: of each rank.
    ///   - hosts: the host of each rank.
    func checkDeterminism(threads: [Int64], hosts: [String]) throws {
        guard distributed.reduction == .deterministic,
            let rank = threads.firstIndex(where: { $0 != threads[0] })
        else { return }
        throw TrainingError.notDeterministic(
            found:
                "\(threads[rank]) threads on rank \(rank) on \(hosts[rank]) and \(threads[0]) on rank 0 on "
                + hosts[0],
            expected: "as many on all ranks: set threads to the least of them")
    }
}

/// What can end a training besides files, data and MPI. Equal on all ranks.
public enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The list has no column for images.
    case noModality(list: String, columns: [String])
    /// `--resume never` into a folder that has checkpoints.
    case runExists(folder: String, step: Int)
    /// A loss or gradient that is infinite or no number.
    case notFinite(step: Int, what: String)
    /// The last checkpoint could not be written; the file system's sentence.
    case notSaved(String)
    /// Records of steps or scores could not be written to the end; the file system's sentence.
    case notRecorded(String)
    /// A configuration of which `distributed.reduction: deterministic` cannot hold what it promises.
    case notDeterministic(found: String, expected: String)
    /// Files of subjects that cannot be used, found before the first step; the whole sentence.
    case unusable(String)
    /// Ranks that differ before the first step.
    case ranksDiffer(rank: Int, host: String, what: String)

    /// One sentence.
    public var description: String {
        switch self {
        case .noModality(let list, let columns):
            "'\(list)' has no column for an image beside the reference and the mask; its columns are "
                + "\(ConfigurationError.quoted(columns))."
        case .runExists(let folder, let step):
            "'\(folder)' holds a run with a checkpoint of step \(step), which --resume never would overwrite: go on "
                + "with --resume auto, or choose another --output."
        case .notFinite(let step, let what):
            "At step \(step) \(what) is not finite; the checkpoints before it stay."
        case .notSaved(let sentence), .notRecorded(let sentence), .unusable(let sentence): sentence
        case .notDeterministic(let found, let expected):
            "distributed.reduction is deterministic with \(found), but expected \(expected)."
        case .ranksDiffer(let rank, let host, let what):
            "Rank \(rank) on \(host) differs from rank 0 in \(what)."
        }
    }
}
