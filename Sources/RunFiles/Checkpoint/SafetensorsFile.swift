import Foundation

/// A file of named tensors in the safetensors format, held in memory.
///
/// On disk: the header's length in bytes (8 bytes, little endian); the header, a JSON object from each name
/// to `{"dtype", "shape", "data_offsets": [begin, end]}` and from `__metadata__` to an object of texts; the
/// tensors' bytes, little endian, row-major, without gaps.
public struct SafetensorsFile: Sendable, Equatable {
    /// Element formats, by the names that the format gives them.
    public enum ElementType: String, Sendable, CaseIterable {
        case bool = "BOOL"
        case uint8 = "U8"
        case int8 = "I8"
        case float8e5m2 = "F8_E5M2"
        case float8e4m3 = "F8_E4M3"
        case int16 = "I16"
        case uint16 = "U16"
        case float16 = "F16"
        case bfloat16 = "BF16"
        case int32 = "I32"
        case uint32 = "U32"
        case float32 = "F32"
        case int64 = "I64"
        case uint64 = "U64"
        case float64 = "F64"

        /// Bytes an element.
        public var size: Int {
            switch self {
            case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
            case .int16, .uint16, .float16, .bfloat16: 2
            case .int32, .uint32, .float32: 4
            case .int64, .uint64, .float64: 8
            }
        }
    }

    /// A named array, row-major.
    public struct Tensor: Sendable, Equatable {
        public let name: String
        public let type: ElementType
        /// Empty for a scalar.
        public let shape: [Int]
        /// Little endian.
        public let bytes: [UInt8]

        /// - Precondition: `bytes` has the length that type and shape give.
        public init(name: String, type: ElementType, shape: [Int], bytes: [UInt8]) {
            let expected = shape.reduce(type.size, *)
            precondition(
                bytes.count == expected, "\(name) has \(bytes.count) bytes, \(shape) needs \(expected)")
            self.name = name
            self.type = type
            self.shape = shape
            self.bytes = bytes
        }
    }

    /// In the order of their bytes in the file.
    public var tensors: [Tensor]
    public var metadata: [String: String]

    /// - Precondition: the tensors' names differ, and none is `__metadata__`.
    public init(tensors: [Tensor], metadata: [String: String] = [:]) {
        let names = Set(tensors.map(\.name))
        precondition(names.count == tensors.count && !names.contains("__metadata__"), "names must differ")
        self.tensors = tensors
        self.metadata = metadata
    }

    public subscript(name: String) -> Tensor? { tensors.first { $0.name == name } }
}

// MARK: - Writing

extension SafetensorsFile {
    /// Writes the file, whole or not at all.
    /// - Parameter verify: see ``AtomicFile/write(_:verify:_:)``.
    /// - Throws: ``FileError``; an older file of that name is then as it was.
    public func write(to path: String, verify: (String) throws -> Void = { _ in }) throws {
        let header = try header()
        try AtomicFile.write(path, verify: verify) { file in
            try file.writeAll(header)
            for tensor in tensors { try file.writeAll(tensor.bytes) }
        }
    }

    private struct HeaderEntry: Codable {
        let dtype: String
        let shape: [Int]
        let offsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    /// Length and JSON text; padded with spaces so that the tensors begin at a multiple of 8 bytes.
    private func header() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var parts: [String] = []
        func append(_ name: String, _ value: some Encodable) throws {
            let key = String(decoding: try encoder.encode(name), as: UTF8.self)
            parts.append(key + ":" + String(decoding: try encoder.encode(value), as: UTF8.self))
        }
        if !metadata.isEmpty { try append("__metadata__", metadata) }
        var offset = 0
        for tensor in tensors {
            let end = offset + tensor.bytes.count
            try append(
                tensor.name,
                HeaderEntry(dtype: tensor.type.rawValue, shape: tensor.shape, offsets: [offset, end]))
            offset = end
        }
        var text = Array("{\(parts.joined(separator: ","))}".utf8)
        text += Array(repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        let length = UInt64(text.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + text
    }
}
