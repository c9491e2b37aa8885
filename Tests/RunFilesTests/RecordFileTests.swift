import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import RunFiles

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

@Suite struct RecordFileTests {
    @Test func aRecordThatIsCutOffIsWrittenWholeLater() async {
        await #expect(processExitsWith: .success) {
            try withTemporaryFolder { folder in
                let path = folder + "/made/rows"
                let file = RecordFile(path: path)
                try file.append(bytes("first\n"))
                limitFiles(to: 10)
                for row in ["second\n", "third\n"] {
                    let error = #expect(throws: FileError.self) { try file.append(bytes(row)) }
                    try #require(error == FileError("'\(path)' could not be written", .fileTooLarge))
                    // The four bytes that had room are gone again.
                    try #require(try text(path) == "first\n")
                }
                limitFiles(to: 15)
                #expect(throws: FileError.self) { try file.flush() }
                try #require(try text(path) == "first\nsecond\n")
                limitFiles(to: nil)
                try file.append(bytes("fourth\n"))
                try file.synchronise()
                try #require(try text(path) == "first\nsecond\nthird\nfourth\n")
            }
        }
    }

    @Test func whatWaitsIsWrittenOnceTheFileCanBeMade() throws {
        try withTemporaryFolder { folder in
            // A file stands where the folder belongs.
            try Data().write(to: URL(fileURLWithPath: folder + "/events"))
            let file = RecordFile(path: folder + "/events/rows")
            file.hold(bytes("head\n"))
            #expect(throws: FileError.self) { try file.append(bytes("row\n")) }
            try FileManager.default.removeItem(atPath: folder + "/events")
            try file.flush()
            #expect(try text(folder + "/events/rows") == "head\nrow\n")
        }
    }

    @Test func whatIsThereStays() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/rows"
            try AtomicFile.write(path, text: "before\n")
            try RecordFile(path: path).append(bytes("after\n"))
            #expect(try text(path) == "before\nafter\n")
            #expect(try RecordFile.text(path) == "before\nafter\n")
            #expect(try RecordFile.text(folder + "/none") == nil)
            let error = #expect(throws: FileError.self) { try RecordFile.text(folder) }
            #expect(error?.reason == .isDirectory)
        }
    }
}
