import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import RunFiles

@Suite struct SafetensorsTests {
    static let example = SafetensorsFile(
        tensors: [
            .init(
                name: "a/\"b\" é", shape: [2, 3], values: [1, -2.5, 0, .infinity, .leastNonzeroMagnitude, 3]),
            .init(name: "scalar", shape: [], values: [7]),
            .init(name: "empty", shape: [0, 4], values: []),
            .init(name: "bytes", type: .uint8, shape: [3], bytes: [1, 2, 255]),
        ], metadata: ["step": "12", "text": "two\nlines: \"x\""])

    /// Header text and content as they stand in a file.
    static func file(_ header: String, _ content: [UInt8]) -> [UInt8] {
        let length = UInt64(header.utf8.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + Array(header.utf8)
            + content
    }

    @Test func writesTheBytesOfTheFormat() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.safetensors"
            try SafetensorsFile(
                tensors: [.init(name: "w", shape: [1, 2], values: [1, -2])], metadata: ["k": "v"]
            )
            .write(to: path)
            let header = #"{"__metadata__":{"k":"v"},"w":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]}}"#
            let padding = String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
            let expected = Self.file(header + padding, [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0])
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(expected))
        }
    }

    @Test func readsBackWhatItWrote() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.safetensors"
            try Self.example.write(to: path)
            let read = try SafetensorsFile(contentsOf: path)
            #expect(read.metadata == Self.example.metadata)
            #expect(Set(read.tensors.map(\.name)) == Set(Self.example.tensors.map(\.name)))
            for tensor in Self.example.tensors { #expect(read[tensor.name] == tensor) }
            #expect(read["a/\"b\" é"]?.floats == [1, -2.5, 0, .infinity, .leastNonzeroMagnitude, 3])
            #expect(read["bytes"]?.floats == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.safetensors"])
        }
    }

    @Test func anotherFileIsNamedForWhatItIs() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/run.yaml"
            func sentence(_ path: String) -> String {
                do {
                    _ = try Checkpoint(contentsOf: path)
                    return ""
                } catch {
                    return "\(error)"
                }
            }
            try "seed: 3 # é\r\nsteps: 7\n".write(toFile: path, atomically: false, encoding: .utf8)
            #expect(
                sentence(path)
                    == "'\(path)' is no safetensors file, as a checkpoint is: it is a text that begins with "
                    + "'seed: 3 # é'.")
            try Data([0x50, 0x4B, 3, 4, 0, 0, 8, 8, 0, 0, 0, 0]).write(to: URL(fileURLWithPath: path))
            #expect(
                sentence(path)
                    == "'\(path)' is damaged or no safetensors file: it does not begin with the length of a header."
            )
            #expect(
                sentence(folder)
                    == "'\(folder)' is no safetensors file, as a checkpoint is: it is a folder, expected a file."
            )
        }
    }

    /// Headers as Python's safetensors writes them and damaged ones.
    @Test(
        arguments: [
            ([], "it has 0 bytes, the header's length alone needs 8"),
            ([1, 2, 3], "it has 3 bytes, the header's length alone needs 8"),
            (
                Array(repeating: UInt8(255), count: 20),
                "it does not begin with the length of a header"
            ),
            (file("[]", []), "its header does not begin with '{'"),
            (file("{\"a\":", []), "its header is no JSON object of tensors"),
            (
                file(#"{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}"#, [0, 0, 0, 0]),
                "tensor 'a' has the unknown type 'F33'"
            ),
            (
                file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, [0, 0]),
                "tensor 'a' lies at bytes 0 to 4, expected from 0 to at most 2"
            ),
            (
                file(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, [0, 0, 0, 0]),
                "tensor 'a' of type F32 and shape [2] has 4 bytes"
            ),
            (
                file(#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, []),
                "tensor 'a' of type F32 and shape [4611686018427387904, 4] has 0 bytes"
            ),
            (
                file(#"{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}"#, [0, 0, 0, 0]),
                "tensor 'a' of type F32 and shape [-1, -1] has 4 bytes"
            ),
            (
                file(
                    #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#,
                    [0, 0, 0]),
                "tensor 'b' lies at bytes 2 to 3, expected from 1 to at most 3"
            ),
            (
                file(
                    #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
                    [0, 0, 0]),
                "tensor 'b' lies at bytes 1 to 3, expected from 2 to at most 3"
            ),
            (
                file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, [0, 0]),
                "its tensors end at byte 1 of 2"
            ),
            (
                file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}"#, [0]),
                "its header is no JSON object of tensors"
            ),
            (file(#"{"a":{"k":"v"}}"#, []), "the header's entry 'a' is not of its kind"),
        ] as [([UInt8], String)])
    func namesWhatIsDamaged(bytes: [UInt8], reason: String) {
        #expect {
            try SafetensorsFile(bytes: bytes, path: "x.safetensors")
        } throws: { error in
            "\(error)" == "'x.safetensors' is damaged or no safetensors file: \(reason)."
        }
    }

    @Test func everyTruncationIsNoticed() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.safetensors"
            try Self.example.write(to: path)
            let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            for length in 0..<whole.count {
                #expect(throws: SafetensorsError.self) {
                    try SafetensorsFile(bytes: Array(whole[..<length]), path: path)
                }
            }
        }
    }

    @Test func aMissingFileIsNamed() {
        #expect {
            try SafetensorsFile(contentsOf: "/nowhere/a.safetensors")
        } throws: { error in
            "\(error)" == "'/nowhere/a.safetensors' could not be read: No such file or directory."
        }
    }
}

@Suite struct AtomicFileTests {
    @Test func aFailedWriteLeavesTheOldFile() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.txt"
            try AtomicFile.write(path, text: "old")
            #expect {
                try AtomicFile.write(path) { file in
                    try file.writeAll(Array("new".utf8))
                    // The kernel's own ENOSPC.
                    let full = try FileDescriptor.open("/dev/full", .writeOnly)
                    try full.closeAfter { _ = try full.writeAll([0]) }
                }
            } throws: { error in
                "\(error)" == "'\(path)' could not be written: No space left on device."
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.txt"])
        }
    }

    @Test func aRejectedFileLeavesTheOldFile() throws {
        struct Rejected: Error {}
        try withTemporaryFolder { folder in
            let path = folder + "/a.txt"
            try AtomicFile.write(path, text: "old")
            #expect(throws: Rejected.self) {
                try AtomicFile.write(path, verify: { _ in throw Rejected() }) { try $0.writeAll([1]) }
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.txt"])
        }
    }

    @Test func aMissingFolderIsNamed() {
        #expect {
            try AtomicFile.write("/nowhere/a.txt", text: "x")
        } throws: { error in
            "\(error)" == "'/nowhere/a.txt' could not be written: No such file or directory."
        }
    }

    /// A limit on the size of files, as a quota sets one, in a process of its own.
    @Test func aFileBeyondTheLimitIsRemoved() async throws {
        await #expect(processExitsWith: .success) {
            try withTemporaryFolder { folder in
                let path = folder + "/a.safetensors"
                try SafetensorsTests.example.write(to: path)
                signal(SIGXFSZ, SIG_IGN)
                var limit = rlimit(rlim_cur: 4096, rlim_max: 4096)
                setrlimit(__rlimit_resource_t(1), &limit)
                let big = SafetensorsFile(
                    tensors: [.init(name: "w", shape: [5000], values: Array(repeating: 1, count: 5000))])
                #expect {
                    try big.write(to: path)
                } throws: { error in
                    "\(error)" == "'\(path)' could not be written: File too large."
                }
                let old = try SafetensorsFile(contentsOf: path)
                #expect(old["scalar"]?.floats == [7])
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.safetensors"])
            }
        }
    }
}
