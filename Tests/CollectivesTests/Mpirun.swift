import Foundation

/// Runs a `Scenario` on several ranks: `mpirun` starts this test program again, to run only `ScenarioTests`.
struct Mpirun {
    static let scenarioVariable = "DICERANK_TEST_SCENARIO"

    let status: Int32
    let output: String
    let seconds: Double
    /// The sentences that were reported.
    var errors: [String] {
        output.split(separator: "\n").filter { $0.hasPrefix("Error: ") }.map { String($0.dropFirst(7)) }
    }

    /// `-np` ranks with more of them than cores and as root allowed; ended after a minute.
    init(_ ranks: Int, _ scenario: Scenario, options: [String] = [], environment: [String: String] = [:])
        throws
    {
        let names = [Self.scenarioVariable: scenario.rawValue].merging(environment) { $1 }
        let exports = names.sorted { $0.key < $1.key }.flatMap { ["-x", "\($0.key)=\($0.value)"] }
        let launcher = [
            "timeout", "60", "mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "\(ranks)",
        ]
        try self.init(command: launcher + options + exports + Self.thisProgram)
    }

    /// The scenario in one process, without `mpirun`.
    init(alone scenario: Scenario, environment: [String: String]) throws {
        let names = [Self.scenarioVariable: scenario.rawValue].merging(environment) { $1 }
        try self.init(
            command: ["timeout", "60", "env"] + names.map { "\($0.key)=\($0.value)" } + Self.thisProgram)
    }

    private static let thisProgram = [
        CommandLine.arguments[0], "--testing-library", "swift-testing", "--filter", "ScenarioTests",
    ]

    private init(command: [String]) throws {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.standardOutput = pipe
        process.standardError = pipe
        let begin = ContinuousClock.now
        try process.run()
        output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        status = process.terminationStatus
        seconds = begin.duration(to: .now) / .seconds(1)
    }
}
