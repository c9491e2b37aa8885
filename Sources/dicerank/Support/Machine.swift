import Foundation

/// What the operating system says of this machine.
enum Machine {
    /// The processor's name, or the architecture where it has none.
    static var processor: String {
        let line = text("/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
        #if arch(arm64)
            return name ?? "arm64"
        #else
            return name ?? "x86_64"
        #endif
    }

    /// The largest resident memory that this process has had, in bytes; 0 where the system does not say.
    static var peakBytes: Int { status("VmHWM:") }

    /// The resident memory that it has now, in bytes.
    static var residentBytes: Int { status("VmRSS:") }

    private static func status(_ key: String) -> Int {
        let line = text("/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix(key) }
        let kibibytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        return (kibibytes ?? 0) << 10
    }

    /// The file of a program in PATH.
    static func program(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// The file of this program.
    static var executable: String {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}

/// "0-3,8" for 0, 1, 2, 3 and 8.
func ranges(of numbers: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    for number in numbers {
        if let last = ranges.last, last.upperBound + 1 == number {
            ranges[ranges.count - 1] = last.lowerBound...number
        } else {
            ranges.append(number...number)
        }
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        .joined(separator: ",")
}

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
