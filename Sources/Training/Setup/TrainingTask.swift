import Collectives
import Engine
import Geometry
import Losses
import Networks
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
    var paths: [String] { [configuration.data.list] + (subjects + heldOut).flatMap(\.paths) }

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

extension RunConfiguration {
    /// Which of the list's subjects are trained on and which are held out.
    public func split(subjects: Int) -> HeldOutSplit {
        HeldOutSplit(subjects: subjects, fraction: data.heldOut, seed: UInt64(seed))
    }
}

extension RunConfiguration.Network {
    /// The network that is configured.
    /// - Throws: `NetworkError`.
    public func make(inputChannels: Int, classes: Int) throws -> any Network {
        let kind: LogitsKind = logits == .bias ? .bias : .batchNormalization
        return try NetworkRegistry.network(
            named: name.rawValue, inputChannels: inputChannels, classes: classes,
            options: NetworkOptions(
                widths: widths, hidden: hidden,
                normalisation: normalisation.flatMap { .init(rawValue: $0.rawValue) }, groups: groups,
                activation: activation.flatMap { .init(rawValue: $0.rawValue) }, dropout: dropout,
                logits: kind))
    }
}

extension RunConfiguration.Loss {
    /// The loss that is configured.
    public func make() -> any SegmentationLoss {
        guard !add.isEmpty else { return make(name) }
        let added = add.sorted { $0.key.rawValue < $1.key.rawValue }
        return CombinedLoss(
            [CombinedLoss.Term(make(name))] + added.map { CombinedLoss.Term(make($0.key), weight: $0.value) })
    }

    private func make(_ name: Name) -> any SegmentationLoss {
        let pooling: Engine.Pooling = pooling == .image ? .image : .batch
        switch name {
        case .gdl:
            return GeneralisedDiceLoss(
                weights: GeneralisedDiceLoss.Weights(rawValue: weights.rawValue) ?? .square, pooling: pooling,
                convention: convention == .niftynet ? .niftynet : .monai)
        case .wce: return WeightedCrossEntropy(pooling: pooling)
        case .dl2: return DiceLoss(pooling: pooling)
        case .ss: return SensitivitySpecificityLoss(lambda: lambda, pooling: pooling)
        }
    }
}

extension RunConfiguration {
    /// The sampler that is configured.
    public var sampler: any PatchSampler {
        let kind: SamplerKind =
            switch patch.sampler {
            case .foreground: .foreground
            case .uniform: .uniform
            case .balanced: .balanced
            }
        return kind.sampler
    }

    /// How patches are drawn and prefetched.
    func patchOptions(input: Size3, effective: Size3) -> PatchSource.Options {
        let rule: NoForegroundRule =
            switch data.noForeground {
            case .error: .error
            case .skip: .skip
            case .uniform: .uniform
            }
        return PatchSource.Options(
            inputSize: input,
            effectiveSize: effective, sampler: sampler,
            noForeground: rule, softClasses: data.referenceKind == .probabilities ? data.classes : 0,
            // A step of micro-batches is long, and its patches are many.
            ahead: accumulate > 1 ? 1 : 2, threads: 1)
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
    /// - Throws: ``TrainingError/notDeterministic(found:expected:)`` where the number of ranks would change the result
    ///   although none may.
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

    /// Compares the threads of all ranks, which must be equal where no bit may depend on who computes a slot: sums over
    /// voxels in the gradients of convolutions are formed a thread at a time. Collective.
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
    /// A patch that is deeper than the slices that the network takes.
    case deepPatch(network: String, size: [Int])
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
        case .deepPatch(let network, let size):
            "patch.size is [\(size.map(String.init).joined(separator: ", "))], but the network \(network) takes slices: "
                + "expected a depth of 1, or one number for height and width."
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
