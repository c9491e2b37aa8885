import Configuration
import Foundation
import Testing

@Suite("Configs/README.md")
struct ConfigsReadmeTests {
    /// Key, values, default and meaning of each row of the table of a run's keys.
    static func rows() throws -> [[String]] {
        let text = try String(
            contentsOf: packageFolder.appendingPathComponent("Configs/README.md"), encoding: .utf8)
        let table = try #require(text.components(separatedBy: "## Every key").last)
            .components(separatedBy: "## A sweep's keys")[0]
        return table.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
            line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    @Test func everyKeyHasARowWithItsDefault() throws {
        var rows: [String: String] = [:]
        for row in try Self.rows() {
            #expect(row.count == 4, "the row of \(row.first ?? "")")
            guard row.count == 4 else { continue }
            let key = row[0].trimmingCharacters(in: ["`"])
            #expect(
                rows.updateValue(row[2].trimmingCharacters(in: ["`"]), forKey: key) == nil, "\(key) twice")
        }
        let sgd = try RunConfiguration(yaml: "{data: {list: a.csv}, optimizer: {name: sgd}}")
        var defaults = Dictionary(
            uniqueKeysWithValues: RunConfiguration(list: "a.csv").values.map { ($0.key, $0.text) })
        for (key, text) in sgd.values where defaults[key] == nil { defaults[key] = text }
        defaults["data.list"] = "none"
        #expect(Set(rows.keys) == Set(defaults.keys))
        for (key, text) in defaults { #expect(rows[key] == text, "the default of \(key)") }
    }
}
