import Foundation
import SwiftProtobuf

/// Scalars for TensorBoard: an event file in a run's `tensorboard` folder.
///
/// Each start of a run writes a file of its own. Its first event tells TensorBoard to drop what earlier files
/// hold of the steps that are done again.
public final class TensorBoardWriter {
    public var path: String { file.path }
    private let file: RecordFile
    private let clock: () -> Date

    /// The file is made with the first event, or by ``flush()``.
    /// - Parameters:
    ///   - folder: made when it is missing.
    ///   - step: the first step to come.
    ///   - host: this machine's name, part of the file's.
    public init(
        folder: String, firstStep step: Int, host: String = ProcessInfo.processInfo.hostName,
        clock: @escaping () -> Date = { Date() }
    ) throws {
        self.clock = clock
        let start = Int(clock().timeIntervalSince1970)
        let process = ProcessInfo.processInfo.processIdentifier
        file = RecordFile(path: "\(folder)/events.out.tfevents.\(start).\(host).\(process).0")
        file.hold(try record(step: 0) { $0.fileVersion = "brain.Event:2" })
        if step > 1 { file.hold(try record(step: step) { $0.sessionLog.status = .start }) }
    }

    /// Appends one event with the values of a step.
    /// - Throws: ``FileError``; the event then stays in memory and is written with the next.
    public func append(step: Int, _ scalars: [(tag: String, value: Double)]) throws {
        let event = try record(step: step) { event in
            event.summary.value = scalars.map { scalar in
                TensorBoardSummary.Value.with {
                    $0.tag = scalar.tag
                    $0.simpleValue = Float(scalar.value)
                }
            }
        }
        try file.append(event)
    }

    /// Writes the events that could not be written before.
    /// - Throws: ``FileError``.
    public func flush() throws { try file.flush() }

    private func record(step: Int, _ fill: (inout TensorBoardEvent) -> Void) throws -> [UInt8] {
        var event = TensorBoardEvent()
        event.wallTime = clock().timeIntervalSince1970
        event.step = Int64(step)
        fill(&event)
        return RecordFraming.record(try event.serializedBytes())
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
