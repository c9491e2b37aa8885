import Configuration
import Foundation
import Sweep
import Testing

/// The folder of the package.
let packageFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

@Suite("Complete runs in Configs")
struct ConfigsTests {
    static let files =
        ((try? FileManager.default.contentsOfDirectory(atPath: packageFolder.path + "/Configs")) ?? [])
        .filter { $0.hasSuffix(".yaml") }.sorted()

    /// A sweep's file says so in its name.
    static func isSweep(_ file: String) -> Bool { file.hasSuffix("_sweep.yaml") }

    @Test("There are some")
    func exist() {
        #expect(Self.files.count >= 4)
        #expect(Self.files.contains(where: Self.isSweep))
    }

    @Test("Each sweep is one whose list is beside the package's files", arguments: files.filter(isSweep))
    func sweepParses(file: String) throws {
        let sweep = try SweepConfiguration(contentsOf: packageFolder.path + "/Configs/" + file)
        #expect(!sweep.cells.isEmpty)
        for cell in sweep.cells {
            #expect(cell.configuration.data.list.hasPrefix(packageFolder.path + "/Configs/../"))
            #expect(cell.cost > 0, "\(cell.name)")
        }
    }

    @Test(
        "Each is a valid configuration whose list is beside the package's files",
        arguments: files.filter { !isSweep($0) })
    func parses(file: String) throws {
        let configuration = try RunConfiguration(contentsOf: packageFolder.path + "/Configs/" + file)
        #expect(configuration.data.list.hasPrefix(packageFolder.path + "/Configs/../"))
        // What is written back reads to the same run.
        #expect(try RunConfiguration(yaml: configuration.yaml) == configuration)
    }
}
