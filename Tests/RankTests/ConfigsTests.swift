import Foundation
import Testing
import Training

/// The folder of the package.
let packageFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

@Suite("Complete runs in Configs")
struct ConfigsTests {
    static let files =
        ((try? FileManager.default.contentsOfDirectory(atPath: packageFolder.path + "/Configs")) ?? [])
        .filter { $0.hasSuffix(".yaml") }.sorted()

    @Test("There are some")
    func exist() { #expect(Self.files.count >= 3) }

    @Test("Each is a valid configuration whose list is beside the package's files", arguments: files)
    func parses(file: String) throws {
        let configuration = try RunConfiguration(contentsOf: packageFolder.path + "/Configs/" + file)
        #expect(configuration.data.list.hasPrefix(packageFolder.path + "/Configs/../"))
        // What is written back reads to the same run.
        #expect(try RunConfiguration(yaml: configuration.yaml) == configuration)
    }
}
