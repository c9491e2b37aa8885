import Foundation
import Inference

/// The outcome of a run, `summary.json`.
public struct RunSummary: Codable, Sendable, Equatable {
    /// Optimiser steps done in all.
    public var steps: Int
    /// Whether nothing is left to do: all configured steps are done and saved, and the held-out subjects are
    /// scored where that is due after the last one.
    public var complete: Bool
    public var finalLoss: Double
    /// Of the DSC of the last `dscSteps` recorded steps: at most 200, as in the paper's Tables 2 and 3.
    public var dscMedian: Double
    public var dscFirstQuartile: Double
    public var dscThirdQuartile: Double
    public var dscSteps: Int
    /// Of the subjects held out, after the last step; absent where none were scored then.
    public var heldOut: HeldOutScores?
    /// Wall time of this start of the run, from the first step on.
    public var seconds: Double
    /// Input voxels of all ranks.
    public var voxelsPerSecond: Double
    public var ranks: Int
    /// Threads a rank.
    public var threads: Int
    /// Bytes, the largest of all ranks.
    public var peakMemoryBytes: Int
    /// Share of the time in which communication was not hidden behind computation.
    public var communicationShare: Double
    /// Share of the gradient reduction that was hidden; absent on one rank.
    public var reductionHiddenShare: Double?
    /// Share of the time spent waiting for patches.
    public var dataShare: Double
    /// By component: dicerank, mpi, onednn, swift.
    public var versions: [String: String]

    public init(
        steps: Int, complete: Bool, finalLoss: Double, dice: [Double], seconds: Double,
        voxelsPerSecond: Double,
        ranks: Int, threads: Int, peakMemoryBytes: Int, communicationShare: Double,
        reductionHiddenShare: Double?,
        dataShare: Double, versions: [String: String]
    ) {
        let last = dice.suffix(200)
        let quartiles = Quartiles(of: last)
        self.steps = steps
        self.complete = complete
        self.finalLoss = finalLoss
        dscMedian = quartiles?.median ?? 0
        dscFirstQuartile = quartiles?.lower ?? 0
        dscThirdQuartile = quartiles?.upper ?? 0
        dscSteps = last.count
        self.seconds = seconds
        self.voxelsPerSecond = voxelsPerSecond
        self.ranks = ranks
        self.threads = threads
        self.peakMemoryBytes = peakMemoryBytes
        self.communicationShare = communicationShare
        self.reductionHiddenShare = reductionHiddenShare
        self.dataShare = dataShare
        self.versions = versions
    }

    /// Writes the file, whole or not at all.
    /// - Throws: ``FileError``.
    public func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try AtomicFile.write(path, bytes: try encoder.encode(self) + [UInt8(ascii: "\n")])
    }

    /// Takes back that a run is complete, before a start that has more to do.
    /// - Throws: ``FileError``.
    package static func reopen(_ path: String) throws {
        guard var summary = try? RunSummary(contentsOf: path), summary.complete else { return }
        summary.complete = false
        try summary.write(to: path)
    }

    /// - Throws: ``FileError`` or ``DamagedRecord``.
    public init(contentsOf path: String) throws {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw FileError("'\(path)' could not be read", foundation: error)
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(RunSummary.self, from: data)
        } catch {
            throw DamagedRecord(
                path: path, found: "it holds no summary of a run in JSON",
                remedy: "delete it, since a run can do without")
        }
    }
}
