import Foundation
import SwiftProtobuf
import TestSupport
import Testing

@testable import RunFiles

@Suite struct TensorBoardTests {
    /// RFC 3720, appendix B.4, and the check value of the polynomial.
    @Test(
        arguments: [
            (Array("123456789".utf8), 0xE306_9283), (Array(repeating: 0, count: 32), 0x8A91_36AA),
            (Array(repeating: 0xFF, count: 32), 0x62A8_AB43), ((0..<32).map { $0 }, 0x46DD_794E),
        ] as [([UInt8], UInt32)])
    func checksums(data: [UInt8], expected: UInt32) { #expect(RecordFraming.checksum(data) == expected) }

    /// Of a file, checksums included.
    private static func events(_ path: String) throws -> [TensorBoardEvent] {
        try EventFile.records(path).map { record in
            #expect(record.lengthChecksum == UInt64(RecordFraming.maskedChecksum(record.length)))
            #expect(record.dataChecksum == UInt64(RecordFraming.maskedChecksum(record.data)))
            return try TensorBoardEvent(serializedBytes: record.data)
        }
    }

    @Test func writesVersionRestartAndScalars() throws {
        try withTemporaryFolder { folder in
            let writer = try TensorBoardWriter(
                folder: folder + "/tensorboard", firstStep: 4, host: "node1",
                clock: { Date(timeIntervalSince1970: 1_700_000_000.5) })
            try writer.append(MetricsLogTests.metrics(4))
            let name = (writer.path as NSString).lastPathComponent
            #expect(name.hasPrefix("events.out.tfevents.1700000000.node1."))

            let events = try Self.events(writer.path)
            #expect(events.count == 3)
            #expect(events[0].fileVersion == "brain.Event:2")
            #expect(events[1].sessionLog.status == .start)
            #expect(events[1].step == 4)
            #expect(events[2].wallTime == 1_700_000_000.5)
            let values = events[2].summary.value
            #expect(values.map(\.tag).prefix(4) == ["loss", "gdl", "dsc", "imbalance"])
            #expect(values[2].simpleValue == 0.2)
        }
    }

    /// The bytes of an event as the public schema lays them out: 1 = wall time, 2 = step, 5 = summary, in it
    /// 1 = value, in it 1 = tag and 2 = simple value, which is there when it is 0 too.
    @Test func fieldNumbersAreThoseOfTensorFlow() throws {
        let event = TensorBoardEvent.with {
            $0.wallTime = 2
            $0.step = 3
            $0.summary.value = [.with { ($0.tag, $0.simpleValue) = ("a", 0) }]
        }
        let bytes: [UInt8] = try event.serializedBytes()
        #expect(
            bytes == [
                0x09, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x10, 3, 0x2A, 10, 0x0A, 8, 0x0A, 1, 0x61, 0x15, 0, 0, 0, 0,
            ])
    }
}
