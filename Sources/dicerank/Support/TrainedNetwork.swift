import Configuration
import Engine
import Foundation
import Inference
import RunFiles
import Sampling
import Training

/// A network with the parameters of a checkpoint, and how its input was prepared.
struct TrainedNetwork {
    let path: String
    let step: Int
    /// Of the whole checkpoint; see `Checkpoint.digest`.
    let digest: String
    let configuration: RunConfiguration
    /// Of the training's list; nil where the checkpoint does not tell.
    let subjects: SubjectNames?
    /// Of the subjects that it was trained on; nil where the checkpoint does not tell.
    let grids: GridSummary?
    let graph: Graph
    let parameters: Parameters
    /// Columns of the input channels, in order.
    let modalities: [String]
    /// Reads images as the training did.
    let reader: SubjectReader
    /// Whether it was trained on slices.
    let isPlanar: Bool
    /// By which its convolutions were computed in the training.
    let algorithms: AlgorithmChoice

    /// - Parameters:
    ///   - path: a checkpoint, or a run's folder, whose newest whole checkpoint is taken.
    ///   - warn: told of newer checkpoints that are damaged.
    init(path: String, warn: (String) -> Void) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            if let link = DanglingLink(at: path) { throw link }
            throw CommandError("There is no checkpoint and no run \(path).")
        }
        let checkpoint: Checkpoint
        if isFolder.boolValue {
            guard let found = try CheckpointStore(runFolder: path, keep: 1).newest() else {
                throw CommandError(Self.withoutCheckpoint(path))
            }
            found.warnings.forEach(warn)
            checkpoint = found.checkpoint
            self.path = found.path
        } else {
            checkpoint = try Checkpoint(contentsOf: path)
            self.path = path
        }
        step = checkpoint.step
        digest = checkpoint.digest
        subjects = checkpoint.subjects
        grids = checkpoint.grids
        configuration = try checkpoint.configuration()
        modalities = try Self.modalities(of: configuration.data)
        let network = try configuration.network.make(
            inputChannels: modalities.count, classes: configuration.data.classes)
        reader = try configuration.reader(for: network)
        isPlanar = try configuration.trainsOnSlices(network)
        algorithms = try checkpoint.algorithmChoice()
        graph = network.graph()
        parameters = Parameters(graph: graph)
        for arena in [parameters.parameters, parameters.statistics] {
            try Self.fill(arena, from: checkpoint, path: self.path)
        }
    }

    /// Applies it to whole volumes as the training computed it.
    func window(threads: Int, memoryBytes: Int) -> SlidingWindow {
        SlidingWindow(
            graph: graph, parameters: parameters,
            options: .init(
                threads: threads, memoryBytes: memoryBytes, isPlanar: isPlanar, algorithms: algorithms))
    }

    private static func withoutCheckpoint(_ folder: String) -> String {
        if let file = PathKind.example(in: folder, [".safetensors"]) {
            return
                "The folder \(folder) is no run: name a checkpoint in it, such as \(file), or the run's folder."
        }
        return "The run \(folder) has no checkpoint: \(folder)/checkpoints holds none."
    }

    /// The configured ones; without, all columns of the list but the reference and the mask.
    static func modalities(of data: RunConfiguration.Data) throws -> [String] {
        if !data.modalities.isEmpty { return data.modalities }
        return try SubjectList(reading: data.list).columns.filter { $0 != data.reference && $0 != data.mask }
    }

    private static func fill(_ arena: ParameterArena, from checkpoint: Checkpoint, path: String) throws {
        let slices = arena.entries.map { NamedSlice(name: $0.name, shape: $0.shape, range: $0.range) }
        let values = try checkpoint.values(of: slices, path: path)
        for entry in arena.entries { arena[entry.name] = Array(values[entry.range]) }
    }
}
