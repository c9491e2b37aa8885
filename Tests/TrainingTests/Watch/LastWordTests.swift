import Foundation
import Glibc
import TestSupport
import Testing

@testable import Training

/// In processes of their own, whose standard error is a pipe that is full and that nobody reads. One that
/// waits for it is ended by a signal, and so not with a code.
@Suite struct LastWordTests {
    private static func blockStandardError() throws {
        alarm(20)
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        try #require(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
        let block = [UInt8](repeating: 0, count: 4096)
        while write(descriptor, block, block.count) > 0 {}
        try #require(fcntl(descriptor, F_SETFL, 0) == 0)
        try #require(dup2(descriptor, STDERR_FILENO) == STDERR_FILENO)
        // The reading end stays open.
        _ = Unmanaged.passRetained(pipe)
    }

    @Test func theEndDoesNotWaitForAReader() async {
        await #expect(processExitsWith: .exitCode(1)) {
            try Self.blockStandardError()
            LastWord(runFolder: "/nowhere").say("rank 0 is stuck.")
        }
    }

    @Test func aWarningDoesNotWaitForAReader() async {
        await #expect(processExitsWith: .exitCode(3)) {
            try withTemporaryFolder { folder in
                try Self.blockStandardError()
                LastWord(runFolder: folder).warn("rank 1 is silent.")
                var text: String?
                while text?.contains("warning: rank 1 is silent.") != true {
                    usleep(10_000)
                    text = try? String(contentsOfFile: folder + "/log.txt", encoding: .utf8)
                }
            }
            _exit(3)
        }
    }

    @Test func theSentenceIsKeptThoughNobodyReadsIt() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/dicerank-last-word-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        await #expect(processExitsWith: .exitCode(1)) { [folder = folder as String] in
            try Self.blockStandardError()
            LastWord(runFolder: folder).say("rank 0 is stuck.")
        }
        let log = try String(contentsOfFile: folder + "/log.txt", encoding: .utf8)
        #expect(log.hasSuffix(" error: rank 0 is stuck.\n"))
    }
}
