import Foundation
import Testing

@Suite("The repository")
struct RepositoryTests {
    /// A link leads out of a fresh clone, where a script then finds nothing.
    @Test("No link and nothing that a script makes is committed")
    func holdsOnlyFiles() throws {
        let git = Process()
        let output = Pipe()
        git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        git.arguments = ["git", "ls-files", "--stage"]
        git.currentDirectoryURL = packageFolder
        git.standardOutput = output
        git.standardError = FileHandle.nullDevice
        try git.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        git.waitUntilExit()
        guard git.terminationStatus == 0 else {
            try Test.cancel("these are the files of no clone")
        }
        let rows = text.split(separator: "\n")
        #expect(rows.count > 100)
        #expect(rows.filter { $0.hasPrefix("120000 ") } == [])
        #expect(rows.filter { $0.split(separator: "\t").last?.hasPrefix(".build") ?? true } == [])
    }
}
