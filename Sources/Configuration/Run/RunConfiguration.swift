import Engine
import Foundation
import Sampling

/// Everything that defines a training run. A file in Configs is one of these; every key has a default but
/// `data.list`.
///
/// ```yaml
/// steps: 3000
/// data: {list: subjects.csv, modalities: [flair, t1]}
/// patch: {size: 51}
/// ```
public struct RunConfiguration: Sendable, Equatable {
    /// Of initial parameters, subject order and patches; at least 0, default 1.
    public var seed = 1
    /// Optimiser steps in all, those before a resume included; 1 to 1,000,000,000, default 3000.
    public var steps = 3000
    public var data = Data()
    public var patch = Patch()
    /// Patches over all ranks (slots) that are in memory at once; 1 to 65,536, default 8. The number of ranks
    /// divides it.
    public var batch = 8
    /// Batches of a step, one after the other: loss and gradient are those of `accumulate * batch` patches. 1
    /// to 4,096, default 1.
    ///
    /// The result is that of one batch of as many patches, but that batch normalisation takes its statistics
    /// over `batch` patches. A loss of each patch (`loss.pooling: image`) costs nothing more; one of pooled
    /// sums (`batch`) runs the network forward nearly twice, since its gradient needs the sums of all
    /// patches. Memory grows by one copy of the gradients and by the patches of two steps.
    public var accumulate = 1
    public var network = Network()
    public var loss = Loss()
    public var optimizer = Optimizer()
    /// How convolutions are computed; default `auto`: each by what is faster here, timed when a run starts,
    /// then kept by its checkpoints.
    public var convolution = ConvolutionAlgorithm.auto
    /// Threads a rank, 1 to 1,024; nil (`auto`, the default) shares the node's cores fairly.
    public var threads: Int?
    public var checkpoint = Checkpoint()
    public var evaluate = Evaluate()
    public var distributed = Distributed()
    public var log = Log()

    /// The defaults, for the subjects of `list`.
    public init(list: String) { data.list = list }
}

extension RunConfiguration {
    /// Reads a file, then applies the options, then checks the whole.
    /// - Parameters:
    ///   - path: a YAML file. Relative paths in it start at its folder.
    ///   - overrides: `key.sub=value`, values as in YAML, applied in order. Relative paths start at the
    ///     current folder.
    ///   - warn: is given a sentence for each key that is read but has no effect any more.
    /// - Throws: ``ConfigurationError`` naming file and line or option, key, what was found and expected.
    public init(
        contentsOf path: String, overrides: [String] = [], warn: (String) -> Void = { _ in }
    ) throws(ConfigurationError) {
        let (text, folder) = try Self.read(path)
        try self.init(yaml: text, name: path, folder: folder, overrides: overrides, warn: warn)
    }

    /// The text of a configuration file and its folder.
    package static func read(_ path: String) throws(ConfigurationError) -> (text: String, folder: String) {
        let file = URL(fileURLWithPath: path)
        if PathKind.isFolder(path) {
            let example = PathKind.example(in: path, [".yaml", ".yml"]).map { ", such as \($0)" } ?? ""
            throw ConfigurationError(
                origin: path, fault: .unreadable("this is a folder, expected a YAML file\(example)"))
        }
        do {
            let text = try String(contentsOf: file, encoding: .utf8)
            return (text, file.standardizedFileURL.deletingLastPathComponent().path)
        } catch {
            let reason =
                DanglingLink(at: path)?.reason
                ?? (FileManager.default.fileExists(atPath: path)
                    ? "cannot be read as UTF-8 text" : "there is no such configuration file")
            throw ConfigurationError(origin: path, fault: .unreadable(reason))
        }
    }

    /// - Parameters:
    ///   - yaml: one YAML document.
    ///   - name: what messages call it.
    ///   - folder: where relative paths start; nil leaves them as they are, those of `overrides` too.
    ///   - overrides: as in ``init(contentsOf:overrides:warn:)``, and `warn` too.
    public init(
        yaml: String, name: String = "configuration", folder: String? = nil, overrides: [String] = [],
        warn: (String) -> Void = { _ in }
    ) throws(ConfigurationError) {
        var root = try ConfigurationNode(yaml: yaml, name: name)
        for option in overrides { try root.override(option) }
        // Messages about the document as a whole name the file, not its first line.
        root.origin = name
        try self.init(root, path: "", folder: folder, warn: warn)
    }

    /// - Parameters:
    ///   - root: a mapping of a run's keys.
    ///   - path: of that mapping, in messages; empty where it is a whole file.
    ///   - folder: where relative paths start; nil leaves them as they are.
    ///   - warn: as in ``init(contentsOf:overrides:warn:)``.
    package init(
        _ root: ConfigurationNode, path: String, folder: String?, warn: (String) -> Void
    ) throws(ConfigurationError) {
        if path.isEmpty { try Self.refuseSweep(root) }
        var keys = try KeyVisitor(root, path: path, folder: folder)
        self.init(list: "")
        try visit(&keys)
        try keys.finish()
        guard !data.list.isEmpty else {
            throw ConfigurationError(origin: root.origin, fault: .missingKey(keys.fullName("data.list")))
        }
        keys.warnings.forEach(warn)
    }

    /// Refuses a sweep where a run's configuration is expected.
    private static func refuseSweep(_ root: ConfigurationNode) throws(ConfigurationError) {
        guard let key = root.firstKey(of: ["networks", "run", "learning_rates", "losses"]) else { return }
        throw ConfigurationError(
            origin: root.origin,
            fault: .otherKind(
                "a sweep's configuration", key: key,
                advice: "run it with dicerank sweep, or give the configuration of a single run"))
    }

    /// Patches a step over all ranks.
    public var stepPatches: Int { accumulate * batch }

    /// All keys with their values, which reads back to the same configuration.
    public var yaml: String { resolved.document }

    /// Every key with its full path and its value as text, in the order of ``yaml``.
    public var values: [(key: String, text: String)] { resolved.flattened() }

    /// The keys whose values differ, with the values here and there; a key that one side lacks is `absent`.
    public func differences(from other: RunConfiguration) -> [Difference] {
        let theirs = Dictionary(uniqueKeysWithValues: other.values.map { ($0.key, $0.text) })
        let mine = values
        var found = mine.compactMap { value -> Difference? in
            let text = theirs[value.key] ?? "absent"
            return text == value.text ? nil : Difference(key: value.key, value: value.text, other: text)
        }
        let names = Set(mine.map(\.key))
        for value in other.values where !names.contains(value.key) {
            found.append(Difference(key: value.key, value: "absent", other: value.text))
        }
        return found
    }

    /// A key on which two configurations differ.
    public struct Difference: Equatable, Sendable {
        public let key: String
        /// The value of the configuration that was asked.
        public let value: String
        /// The value of the one it was compared with.
        public let other: String
    }

    private var resolved: YAMLText {
        var copy = self
        do {
            var keys = try KeyVisitor(ConfigurationNode(value: .mapping([]), origin: "code"), path: "")
            try copy.visit(&keys)
            return .mapping(keys.resolved)
        } catch {
            preconditionFailure("a configuration set by code contradicts itself: \(error)")
        }
    }
}

extension RunConfiguration: ConfigurationSection {
    package mutating func visit(_ keys: inout KeyVisitor) throws(ConfigurationError) {
        try keys.integer("seed", &seed, 0...Int.max)
        try keys.integer("steps", &steps, 1...1_000_000_000)
        try keys.section("data", &data)
        try keys.section("patch", &patch)
        try keys.integer("batch", &batch, 1...65536)
        try keys.integer("accumulate", &accumulate, 1...4096)
        try keys.section("network", &network)
        try keys.section("loss", &loss)
        try keys.section("optimizer", &optimizer)
        try keys.retired("precision", value: "float32")
        try keys.choice("convolution", &convolution)
        try keys.automatic("threads", &threads, 1...1024)
        try keys.section("checkpoint", &checkpoint)
        try keys.section("evaluate", &evaluate)
        try keys.section("distributed", &distributed)
        try keys.section("log", &log)
    }
}
