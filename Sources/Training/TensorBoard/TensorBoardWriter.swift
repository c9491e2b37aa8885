import Foundation
import SwiftProtobuf
import SystemPackage

/// Scalars for TensorBoard: an event file in a run's `tensorboard` folder.
///
/// Each start of a run writes a file of its own. Its first event tells TensorBoard to drop what earlier files hold of
/// the steps that are done again.
public final class TensorBoardWriter {
    public let path: String
    private let file: FileDescriptor
    private let clock: () -> Date

    /// - Parameters:
    ///   - folder: made when it is missing.
    ///   - step: the first step to come.
    ///   - host: this machine's name, part of the file's.
    /// - Throws: ``FileError``.
    public init(
        folder: String, firstStep step: Int, host: String = ProcessInfo.processInfo.hostName,
        clock: @escaping () -> Date = { Date() }
    ) throws {
        self.clock = clock
        let start = Int(clock().timeIntervalSince1970)
        let process = ProcessInfo.processInfo.processIdentifier
        path = "\(folder)/events.out.tfevents.\(start).\(host).\(process).0"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError("the folder '\(folder)' could not be made", Errno(foundation: error))
        }
        do {
            file = try FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.create, .append, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch let reason as Errno {
            throw FileError("'\(path)' could not be opened for writing", reason)
        }
        try write(step: 0) { $0.fileVersion = "brain.Event:2" }
        if step > 1 { try write(step: step) { $0.sessionLog.status = .start } }
    }

    deinit { try? file.close() }

    /// Appends one event with the values of a step.
    /// - Throws: ``FileError``.
    public func append(step: Int, _ scalars: [(tag: String, value: Double)]) throws {
        try write(step: step) { event in
            event.summary.value = scalars.map { scalar in
                TensorBoardSummary.Value.with {
                    $0.tag = scalar.tag
                    $0.simpleValue = Float(scalar.value)
                }
            }
        }
    }

    private func write(step: Int, _ fill: (inout TensorBoardEvent) -> Void) throws {
        var event = TensorBoardEvent()
        event.wallTime = clock().timeIntervalSince1970
        event.step = Int64(step)
        fill(&event)
        let data: [UInt8] = try event.serializedBytes()
        do {
            _ = try file.writeAll(RecordFraming.record(data))
        } catch let reason as Errno {
            throw FileError("'\(path)' could not be written", reason)
        }
    }
}

extension TensorBoardWriter {
    /// Appends the scalars of a step's metrics, by the names of the CSV's columns.
    public func append(_ metrics: StepMetrics) throws {
        try append(
            step: metrics.step,
            [
                ("loss", metrics.loss), ("gdl", metrics.generalisedDice), ("dsc", metrics.dice),
                ("imbalance", metrics.imbalance), ("learning_rate", metrics.learningRate),
                ("time/step_seconds", metrics.stepSeconds), ("time/data_seconds", metrics.dataSeconds),
                ("time/communication_seconds", metrics.communicationSeconds),
                ("time/voxels_per_second", metrics.voxelsPerSecond),
            ])
    }
}
