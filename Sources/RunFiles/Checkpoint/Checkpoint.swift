import Crypto
import Sampling

/// The state of a run after a step: all that its continuation needs.
///
/// Tensors by name: parameters `<layer>.weight`, running statistics `<layer>.running_mean`, optimiser state
/// `<optimiser>.<state>/<parameter>`, such as `adam.m/<layer>.weight`. All float32.
public struct Checkpoint: Sendable, Equatable {
    /// Optimiser steps done.
    public var step: Int
    /// The network's name.
    public var network: String
    /// The resolved configuration as YAML.
    public var configurationText: String
    /// Ranks and threads a rank that wrote it.
    public var ranks: Int
    public var threads: Int
    /// The algorithm of each convolution, `<name> <algorithm>` a line; empty where none was chosen by time.
    public var algorithms: String
    /// Values in a bucket of gradients; 0 where they were not chosen by time.
    public var bucketCount: Int
    /// Of the list that the run was begun with; nil in files that do not tell.
    public var subjects: SubjectNames?
    /// Of the subjects that the run has trained on; nil in files that do not tell.
    public var grids: GridSummary?
    public var tensors: [SafetensorsFile.Tensor]

    public init(
        step: Int, network: String, configurationText: String, ranks: Int, threads: Int,
        algorithms: String = "", bucketCount: Int = 0, subjects: SubjectNames? = nil,
        grids: GridSummary? = nil, tensors: [SafetensorsFile.Tensor]
    ) {
        self.step = step
        self.network = network
        self.configurationText = configurationText
        self.ranks = ranks
        self.threads = threads
        self.algorithms = algorithms
        self.bucketCount = bucketCount
        self.subjects = subjects
        self.grids = grids
        self.tensors = tensors
    }

    public subscript(name: String) -> SafetensorsFile.Tensor? { tensors.first { $0.name == name } }
}

// MARK: - File

extension Checkpoint {
    private static let formatVersion = "1"

    /// Reads a checkpoint and compares its content with its digest.
    /// - Throws: ``FileError``, ``SafetensorsError`` or ``CheckpointError``.
    public init(contentsOf path: String) throws {
        let file = try SafetensorsFile(contentsOf: path)
        func text(_ key: String) throws(CheckpointError) -> String {
            guard let value = file.metadata[key] else { throw .noCheckpoint(path: path, missing: key) }
            return value
        }
        func number(_ key: String) throws(CheckpointError) -> Int {
            guard let value = Int(try text(key)), value >= 0 else {
                throw .noCheckpoint(path: path, missing: key)
            }
            return value
        }
        let version = try text("format_version")
        guard version == Self.formatVersion else {
            throw CheckpointError.otherVersion(path: path, found: version)
        }
        let stored = try text("digest")
        let actual = Self.digest(of: file)
        guard stored == actual else {
            throw CheckpointError.damaged(path: path, digest: actual, expected: stored)
        }
        self.init(
            step: try number("step"), network: try text("network"),
            configurationText: try text("configuration"),
            ranks: try number("ranks"), threads: try number("threads"),
            algorithms: file.metadata["algorithms"] ?? "",
            bucketCount: file.metadata["bucket_values"] == nil ? 0 : try number("bucket_values"),
            subjects: SubjectNames(metadata: file.metadata), grids: GridSummary(metadata: file.metadata),
            tensors: file.tensors)
    }

    /// Writes the checkpoint, whole or not at all, after reading it back.
    /// - Throws: ``FileError``, also where what is read back is not what was written; an older file of that
    ///   name is then as it was.
    public func write(to path: String) throws {
        try file.write(to: path) { partial in
            do {
                _ = try Checkpoint(contentsOf: partial)
            } catch is CheckpointError, is SafetensorsError {
                throw FileError("'\(path)' could not be written, since it reads back damaged", .ioError)
            }
        }
    }

    /// SHA-256 in hexadecimal of names, shapes and bytes of the tensors and of the metadata.
    public var digest: String { Self.digest(of: file) }

    private var file: SafetensorsFile {
        var file = SafetensorsFile(
            tensors: tensors,
            metadata: [
                "program": "dicerank", "format_version": Self.formatVersion, "step": "\(step)",
                "network": network, "configuration": configurationText, "ranks": "\(ranks)",
                "threads": "\(threads)",
            ])
        if !algorithms.isEmpty { file.metadata["algorithms"] = algorithms }
        if bucketCount > 0 { file.metadata["bucket_values"] = "\(bucketCount)" }
        if let subjects { file.metadata.merge(subjects.metadata) { $1 } }
        if let grids { file.metadata.merge(grids.metadata) { $1 } }
        file.metadata["digest"] = Self.digest(of: file)
        return file
    }

    private static func digest(of file: SafetensorsFile) -> String {
        var hash = SHA256()
        for (key, value) in file.metadata.sorted(by: { $0.key < $1.key }) where key != "digest" {
            hash.update(data: Array("\(key.utf8.count):\(key)\(value.utf8.count):\(value)".utf8))
        }
        for tensor in file.tensors {
            hash.update(
                data: Array(
                    "\(tensor.name.utf8.count):\(tensor.name)\(tensor.type.rawValue)\(tensor.shape)".utf8))
            hash.update(data: tensor.bytes)
        }
        return hash.finalize().hexadecimal
    }
}

/// What is wrong with a checkpoint, or with using it here.
public enum CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A safetensors file that lacks a checkpoint's metadata.
    case noCheckpoint(path: String, missing: String)
    case otherVersion(path: String, found: String)
    case damaged(path: String, digest: String, expected: String)
    /// Every checkpoint of a run is damaged.
    case allDamaged(folder: String, reasons: [String])
    /// Another network: the first tensor that differs.
    case otherTensor(path: String, tensor: String, found: String, expected: String)
    /// Another configuration: the first key that differs and may not.
    case otherConfiguration(path: String, key: String, found: String, expected: String)
    /// Another list of subjects: as the rests of sentences what differs, and what to do instead of restoring
    /// the list.
    case otherSubjects(path: String, difference: String, remedy: String)

    /// One sentence.
    public var description: String { oneLine(sentence) }

    private var sentence: String {
        switch self {
        case .noCheckpoint(let path, let missing):
            "'\(path)' is no checkpoint of this program: it lacks a valid '\(missing)' in its metadata."
        case .otherVersion(let path, let found):
            "'\(path)' has checkpoint format version '\(excerpt(found))', but this program reads version 1."
        case .damaged(let path, let digest, let expected):
            "'\(path)' is damaged: its content has the digest \(digest.prefix(12)), expected \(expected.prefix(12))."
        case .allDamaged(let folder, let reasons):
            "No checkpoint in '\(folder)' can be read: \(reasons.joined(separator: " "))"
        case .otherTensor(let path, let tensor, let found, let expected):
            "'\(path)' is a checkpoint of another network: tensor '\(excerpt(tensor))' is \(excerpt(found)) there, "
                + "but \(expected) in this network."
        case .otherConfiguration(let path, let key, let found, let expected):
            "'\(path)' was written with \(key) \(found), but this run has \(expected): resume with the same value, "
                + "or start anew with --resume never."
        case .otherSubjects(let path, let difference, let remedy):
            "'\(path)' was written with a list of \(difference), and the names in their order decide which subjects are "
                + "held out: restore the list, or \(remedy)."
        }
    }
}
