import Configuration
import Foundation
import Testing
import Training

/// What the three READMEs name is there: files, commands, options, keys, variables and tests.
@Suite("READMEs")
struct ReadmeTests {
    static let readmes = ["README.md", "Launch/README.md", "Configs/README.md"]

    static func text(_ path: String) throws -> String {
        try String(contentsOf: packageFolder.appendingPathComponent(path), encoding: .utf8)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: packageFolder.appendingPathComponent(path).path)
    }

    @Test(arguments: readmes)
    func filesAndSectionsThatAreNamedAreThere(readme: String) throws {
        let text = try Self.text(readme)
        let folder = readme.split(separator: "/").dropLast().map { $0 + "/" }.joined()
        for match in text.matches(of: /\]\(([^)#]*)(?:#([^)]*))?\)/) {
            let path = String(match.1)
            guard !path.hasPrefix("http") else { continue }
            let target = path.isEmpty ? readme : folder + path
            #expect(Self.exists(target), "\(readme) links to \(path)")
            guard let section = match.2, Self.exists(target) else { continue }
            let headings = try String(
                contentsOf: packageFolder.appendingPathComponent(target), encoding: .utf8
            ).split(separator: "\n").filter { $0.hasPrefix("#") }.map {
                $0.drop { "# ".contains($0) }.lowercased().replacing(" ", with: "-")
            }
            #expect(headings.contains(String(section)), "\(readme) links to the section \(section)")
        }
        for match in text.matches(of: /(?:Launch|Configs|Sources|Tests)\/[A-Za-z_.\/]*[A-Za-z_]/) {
            #expect(Self.exists(String(match.0)), "\(readme) names \(match.0)")
        }
    }

    /// Of each line, the words from `dicerank` on, against the recorded help of the command.
    @Test(arguments: readmes)
    func commandsAndOptionsThatAreNamedAreThere(readme: String) throws {
        var found = 0
        for line in try Self.text(readme).split(separator: "\n") {
            let parts = line.components(separatedBy: "dicerank ")
            for part in parts.dropFirst() where line.hasPrefix("    ") || parts[0].hasSuffix("`") {
                let words = part.prefix { $0 != "`" && $0 != "#" }.split(separator: " ").map(String.init)
                guard let command = words.first, command.allSatisfy(\.isLowercase) else { continue }
                let name = command == "bench" && words.count > 1 ? "bench-\(words[1])" : command
                let help = try? Self.text("Tests/Fixtures/help/dicerank-\(name).txt")
                #expect(help != nil, "\(readme) names dicerank \(name)")
                let known = Set(help?.split { !$0.isLetter && $0 != "-" }.map(String.init) ?? [])
                for word in words where word.hasPrefix("--") {
                    #expect(known.contains(word), "\(readme) names \(word) of \(name)")
                }
                found += 1
            }
        }
        #expect(found > 0)
    }

    @Test func theExampleIsAConfiguration() throws {
        let lines = try Self.text("README.md").split(separator: "\n", omittingEmptySubsequences: false)
        let block = lines.drop { !$0.hasPrefix("    seed: ") }.prefix { $0.hasPrefix("    ") }
        let example = try RunConfiguration(yaml: block.map { $0.dropFirst(4) }.joined(separator: "\n"))
        #expect(example.data.list.hasSuffix("subjects.csv") && example.steps == 3000)
    }

    @Test func keysThatAreNamedAreThere() throws {
        var keys = try Set(ConfigsReadmeTests.rows().map { $0[0].trimmingCharacters(in: ["`"]) })
        keys.formUnion(keys.compactMap { $0.split(separator: ".").first.map(String.init) })
        let sections = Set(keys.filter { !$0.contains(".") })
        for readme in Self.readmes {
            for match in try Self.text(readme).matches(of: /`([a-z_]+)\.([a-z_]+)[:`]/)
            where sections.contains(String(match.1)) && !["csv", "yaml", "txt", "json"].contains(match.2) {
                #expect(keys.contains("\(match.1).\(match.2)"), "\(readme) names \(match.0)")
            }
        }
    }

    /// The variables that sources, scripts and tests read, but for those that only tests set for each other.
    @Test func variablesAreListed() throws {
        let readme = try Self.text("Launch/README.md")
        var names: Set<String> = []
        for folder in ["Sources", "Launch", "Tests"] {
            let root = packageFolder.appendingPathComponent(folder)
            for case let file as URL in FileManager.default.enumerator(
                at: root, includingPropertiesForKeys: nil) ?? .init()
            where file.lastPathComponent != "README.md" {
                guard let text = try? String(contentsOf: file, encoding: .utf8) else { continue }
                names.formUnion(text.matches(of: /\bDICERANK_[A-Z_]*[A-Z]\b/).map { String($0.0) })
            }
        }
        names.remove("DICERANK_TEST_SCENARIO")
        #expect(names.count > 5)
        for name in names.sorted() { #expect(readme.contains("`\(name)`"), "\(name) is not listed") }
    }

    /// A pattern of `Launch/test --quick` that fits no test any more would leave nothing out, without a word.
    @Test func testsThatQuickLeavesOutAreThere() throws {
        let lines = try Self.text("Launch/test").split(separator: "\n")
        let patterns = lines.drop { !$0.hasPrefix("slow_tests=(") }.dropFirst().prefix { $0 != ")" }
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0.hasPrefix("'") }
        #expect(patterns.count > 3)
        for pattern in patterns {
            let match = try #require(
                pattern.wholeMatch(of: /'(\w+)\\\.(\w+)\/(\w*)(?:\(\?!\(((?:\w+\|?)+)\)\\b\))?'/),
                "\(pattern)")
            let root = packageFolder.appendingPathComponent("Tests/\(match.1)")
            let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
            let sources = (files?.allObjects ?? []).compactMap { $0 as? URL }
                .compactMap { try? String(contentsOf: $0, encoding: .utf8) }.joined()
            let kept = (match.4 ?? "").split(separator: "|")
            for suite in [match.2] + kept {
                let declaration = try Regex("\\b(struct|enum|class) \(suite)\\b")
                #expect(sources.contains(declaration), "\(pattern) names \(suite)")
            }
            #expect(match.3.isEmpty || sources.contains("func \(match.3)"), "\(pattern) names \(match.3)")
        }
    }
}
