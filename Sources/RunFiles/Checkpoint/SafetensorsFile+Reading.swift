import Foundation
import Sampling
import SystemPackage

/// A safetensors file that is damaged or of another kind.
public struct SafetensorsError: Error, Equatable, Sendable, CustomStringConvertible {
    public let path: String
    /// What was found and what was expected.
    public let reason: String
    /// Whether it is a file of another kind, and no damaged one.
    public var isForeign = false

    /// One sentence.
    public var description: String {
        oneLine(
            isForeign
                ? "'\(path)' is no safetensors file, as a checkpoint is: \(reason)."
                : "'\(path)' is damaged or no safetensors file: \(reason).")
    }
}

extension SafetensorsFile {
    /// The format's limit on the header, 100 MB: what a damaged length may claim at most.
    private static let longestHeader = 100_000_000

    /// Reads a file and checks every length in it before it is used.
    /// - Throws: ``FileError`` when it cannot be read, ``SafetensorsError`` when it is not what it should be.
    public init(contentsOf path: String) throws {
        if PathKind.isFolder(path) {
            let file = [path, path + "/checkpoints"].lazy.compactMap {
                PathKind.example(in: $0, [".safetensors"])
            }.first
            let example = file.map { ", such as \($0)" } ?? ""
            throw SafetensorsError(
                path: path, reason: "it is a folder, expected a file\(example)", isForeign: true)
        }
        let bytes: [UInt8]
        do {
            bytes = try Self.readAll(path)
        } catch let reason as Errno {
            if reason == .noSuchFileOrDirectory, let link = DanglingLink(at: path) { throw link }
            throw FileError("'\(path)' could not be read", reason)
        }
        try self.init(bytes: bytes, path: path)
    }

    /// - Parameters:
    ///   - bytes: a whole file.
    ///   - path: its name in messages.
    init(bytes: [UInt8], path: String) throws(SafetensorsError) {
        func damaged(_ reason: String) -> SafetensorsError { SafetensorsError(path: path, reason: reason) }

        guard bytes.count >= 8 else {
            throw damaged("it has \(bytes.count) bytes, the header's length alone needs 8")
        }
        // What is no header is another kind of file, rather than one in which a bit has flipped.
        if bytes.count > 8, bytes[8] != UInt8(ascii: "{"), let line = Self.firstLine(bytes) {
            throw SafetensorsError(
                path: path, reason: "it is a text that begins with '\(line)'", isForeign: true)
        }
        let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
        guard length <= UInt64(min(bytes.count - 8, Self.longestHeader)) else {
            throw damaged(
                length > UInt64(Self.longestHeader)
                    ? "it does not begin with the length of a header"
                    : "its header should have \(length) bytes, but \(bytes.count - 8) follow")
        }
        let begin = 8 + Int(length)
        let header = bytes[8..<begin]
        guard header.first == UInt8(ascii: "{") else { throw damaged("its header does not begin with '{'") }
        let object: [String: HeaderValue]
        do {
            object = try JSONDecoder().decode([String: HeaderValue].self, from: Data(header))
        } catch {
            throw damaged("its header is no JSON object of tensors")
        }

        var metadata: [String: String] = [:]
        var entries: [(name: String, entry: HeaderTensor)] = []
        for (name, value) in object {
            switch value {
            case .texts(let texts) where name == "__metadata__": metadata = texts
            case .tensor(let entry) where name != "__metadata__": entries.append((name, entry))
            default: throw damaged("the header's entry '\(excerpt(name))' is not of its kind")
            }
        }
        entries.sort { ($0.entry.begin, $0.entry.end, $0.name) < ($1.entry.begin, $1.entry.end, $1.name) }

        var tensors: [Tensor] = []
        var offset = 0
        for (name, entry) in entries {
            guard let type = ElementType(rawValue: entry.dtype) else {
                throw damaged("tensor '\(excerpt(name))' has the unknown type '\(excerpt(entry.dtype))'")
            }
            guard entry.begin == offset, entry.end >= entry.begin, entry.end <= bytes.count - begin else {
                throw damaged(
                    "tensor '\(excerpt(name))' lies at bytes \(entry.begin) to \(entry.end), expected from \(offset) to at most "
                        + "\(bytes.count - begin)")
            }
            guard let count = Self.byteCount(type, entry.shape), count == entry.end - entry.begin else {
                throw damaged(
                    "tensor '\(excerpt(name))' of type \(entry.dtype) and shape \(excerpt("\(entry.shape)")) has "
                        + "\(entry.end - entry.begin) bytes")
            }
            let content = Array(bytes[(begin + entry.begin)..<(begin + entry.end)])
            tensors.append(Tensor(name: name, type: type, shape: entry.shape, bytes: content))
            offset = entry.end
        }
        guard offset == bytes.count - begin else {
            throw damaged("its tensors end at byte \(offset) of \(bytes.count - begin)")
        }
        self.init(tensors: tensors, metadata: metadata)
    }

    /// Nil where the shape has a negative length or more bytes than an Int counts.
    private static func byteCount(_ type: ElementType, _ shape: [Int]) -> Int? {
        var count = type.size
        for length in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard length >= 0, !overflow else { return nil }
            count = product
        }
        return count
    }

    /// The beginning of what looks like a text; nil for anything else.
    private static func firstLine(_ bytes: [UInt8]) -> String? {
        let isText = bytes.prefix(8).allSatisfy { (32...126).contains($0) || (9...13).contains($0) }
        guard isText else { return nil }
        let line = String(decoding: bytes.prefix(60).prefix { $0 >= 32 }, as: UTF8.self)
        return String(line.prefix(40))
    }

    private static func readAll(_ path: String) throws -> [UInt8] {
        let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
        return try file.closeAfter {
            let size = Int(try file.seek(offset: 0, from: .end))
            return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                while count < size {
                    let rest = UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                    let read = try file.read(fromAbsoluteOffset: Int64(count), into: rest)
                    if read == 0 { break }
                    count += read
                }
            }
        }
    }
}

private struct HeaderTensor: Decodable {
    let dtype: String
    let shape: [Int]
    let begin: Int
    let end: Int

    enum CodingKeys: String, CodingKey {
        case dtype, shape
        case offsets = "data_offsets"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        dtype = try container.decode(String.self, forKey: .dtype)
        shape = try container.decode([Int].self, forKey: .shape)
        let offsets = try container.decode([Int].self, forKey: .offsets)
        guard offsets.count == 2, offsets[0] >= 0 else {
            throw DecodingError.dataCorruptedError(
                forKey: .offsets, in: container, debugDescription: "two offsets")
        }
        begin = offsets[0]
        end = offsets[1]
    }
}

private enum HeaderValue: Decodable {
    case tensor(HeaderTensor)
    case texts([String: String])

    init(from decoder: any Decoder) throws {
        if let tensor = try? HeaderTensor(from: decoder) {
            self = .tensor(tensor)
        } else {
            self = .texts(try [String: String](from: decoder))
        }
    }
}
