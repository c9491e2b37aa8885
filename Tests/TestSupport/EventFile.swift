import Foundation

/// A file of TensorBoard events, split into its records by hand.
public enum EventFile {
    /// The bytes of a record, in the order in which they stand there.
    public struct Record {
        /// Of the data, 8 bytes; little endian, as all numbers.
        public let length: [UInt8]
        public let lengthChecksum: UInt64
        public let data: [UInt8]
        public let dataChecksum: UInt64
    }

    /// A file that ends within a record.
    public struct Torn: Error {}

    /// - Throws: ``Torn``, and errors of the file.
    public static func records(_ path: String) throws -> [Record] {
        var rest = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))[...]
        func take(_ count: Int) throws -> [UInt8] {
            guard rest.count >= count else { throw Torn() }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        func number(_ bytes: [UInt8]) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        var records: [Record] = []
        while !rest.isEmpty {
            let length = try take(8)
            records.append(
                Record(
                    length: length, lengthChecksum: number(try take(4)),
                    data: try take(Int(number(length))), dataChecksum: number(try take(4))))
        }
        return records
    }
}
