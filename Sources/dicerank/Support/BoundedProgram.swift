import Foundation

/// A program that is run to its end, which comes after a set time at the latest.
struct BoundedProgram {
    let path: String
    let arguments: [String]
    /// Variables whose names begin so are not passed on.
    var withheldPrefixes: [String] = []
    let limit: Duration

    struct Outcome {
        /// Nil if the time was up.
        let exitCode: Int32?
        let output: String
        let errors: String
        let duration: Duration
    }

    func run() throws -> Outcome {
        let folder = FileManager.default.temporaryDirectory
        let name = "dicerank-" + UUID().uuidString
        let files = [
            folder.appendingPathComponent(name + ".out"), folder.appendingPathComponent(name + ".err"),
        ]
        defer { for file in files { try? FileManager.default.removeItem(at: file) } }
        for file in files { try Data().write(to: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.filter { name, _ in
            !withheldPrefixes.contains { name.hasPrefix($0) }
        }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        let start = ContinuousClock.now
        try process.run()
        var isLate = false
        while process.isRunning {
            let elapsed = start.duration(to: .now)
            if elapsed > limit, !isLate {
                isLate = true
                process.terminate()
            } else if elapsed > limit + .seconds(5) {
                kill(process.processIdentifier, SIGKILL)
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
        let texts = files.map { (try? String(contentsOf: $0, encoding: .utf8)) ?? "" }
        return Outcome(
            exitCode: isLate ? nil : process.terminationStatus, output: texts[0], errors: texts[1],
            duration: start.duration(to: .now))
    }
}
