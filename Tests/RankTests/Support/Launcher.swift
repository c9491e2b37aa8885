import Foundation

/// Starts the built `dicerank`, alone or as ranks under mpirun, and ends it when it takes too long.
struct Launcher: Sendable {
    /// Where the program runs and where its output is kept.
    let folder: URL
    /// Nil: without mpirun.
    var ranks: Int?
    /// Replaces or adds variables.
    var environment: [String: String] = [:]
    /// Seconds after which the program and all it started are killed.
    var limit: Double = 120
    /// Bash commands that run before the program in the same shell, such as `ulimit`.
    var prologue = "true"
    /// A program and its words that start the program on each rank.
    var wrapper: [String] = []

    /// What became of a run.
    struct Outcome: Sendable, CustomStringConvertible {
        var exitCode: Int32
        var timedOut: Bool
        var standardOutput: String
        var standardError: String
        var seconds: Double
        /// Exit code of each rank that came to its end; one code without mpirun.
        var exitCodes: [Int32]

        /// Sentences that the program printed as errors.
        var errors: [String] {
            standardError.split(separator: "\n").filter { $0.hasPrefix("error: ") }.map {
                String($0.dropFirst(7))
            }
        }

        /// Signs of a crash, which no input may cause.
        var crashSigns: [String] {
            let signs = [
                "Fatal error", "Stack dump", "Segmentation fault", "*** Program crashed", "SIGILL",
                "Thread 0",
            ]
            return signs.filter { standardError.contains($0) || standardOutput.contains($0) }
        }

        var description: String {
            "exit code \(exitCode), ranks \(exitCodes)\(timedOut ? ", timed out" : "") after \(seconds) s\n--- output\n"
                + "\(standardOutput)\n--- errors\n\(standardError)"
        }
    }

    /// The program beside the test bundle, of the same build configuration.
    static let program: URL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("dicerank")

    /// Runs to the end.
    func run(_ arguments: [String]) async throws -> Outcome {
        let run = try start(arguments)
        return try await run.outcome()
    }

    /// Starts the program and returns at once.
    func start(_ arguments: [String]) throws -> RunningProgram {
        var words = wrapper + [Self.program.path] + arguments
        let codes = FileManager.default.temporaryDirectory.appendingPathComponent(
            "dicerank-codes-" + UUID().uuidString)
        if let ranks {
            try FileManager.default.createDirectory(at: codes, withIntermediateDirectories: true)
            var options = ["-np", "\(ranks)", "--oversubscribe", "--bind-to", "none"]
            if getuid() == 0 { options.append("--allow-run-as-root") }
            // The shell outlives signals to its process group, to note the code.
            let rank =
                #"trap : USR1 TERM; "$@"; code=$?; echo $code > "$0/$OMPI_COMM_WORLD_RANK"; exit $code"#
            words = ["mpirun"] + options + ["bash", "-c", rank, codes.path] + words
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", prologue + "\nexec \"$@\"", "dicerank"] + words
        process.currentDirectoryURL = folder
        process.environment = Self.cleanEnvironment.merging(Self.backtraces) { $1 }
            .merging(environment) { $1 }
        return try RunningProgram(process, codes: codes, limit: limit)
    }

    /// A crash leaves its stack in what the program printed.
    private static let backtraces = ["SWIFT_BACKTRACE": "enable=yes,interactive=no,color=no"]

    /// The environment less what would make the program believe that a launcher started it.
    static var cleanEnvironment: [String: String] {
        let launchers = ["OMPI_", "PMIX_", "PMI_", "SLURM_", "PRTE_", "DICERANK_"]
        return ProcessInfo.processInfo.environment.filter { name, _ in
            !launchers.contains { name.hasPrefix($0) }
        }
    }
}

/// A program under way.
final class RunningProgram: @unchecked Sendable {
    private let process: Process
    /// Where ranks leave their exit codes.
    private let codes: URL
    private let limit: Double
    private let start = ContinuousClock.now
    private let output: URL
    private let errors: URL

    /// Output goes to files: a pipe that nobody reads would stop the program.
    init(_ process: Process, codes: URL, limit: Double) throws {
        self.process = process
        self.codes = codes
        self.limit = limit
        let folder = FileManager.default.temporaryDirectory
        let name = "dicerank-output-" + UUID().uuidString
        output = folder.appendingPathComponent(name + ".out")
        errors = folder.appendingPathComponent(name + ".err")
        for file in [output, errors] { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardInput = FileHandle.nullDevice
        try Self.withoutBlockedSignals { try process.run() }
    }

    /// A test's thread blocks signals, and what it starts inherits that; nobody's shell does.
    private static func withoutBlockedSignals<R>(_ body: () throws -> R) rethrows -> R {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        return try body()
    }

    deinit {
        if process.isRunning { killAll() }
        for file in [output, errors, codes] { try? FileManager.default.removeItem(at: file) }
    }

    var isRunning: Bool { process.isRunning }

    var standardOutputSoFar: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

    /// Waits for the end, which comes at the time limit at the latest.
    func outcome() async throws -> Launcher.Outcome {
        var timedOut = false
        while process.isRunning {
            if start.duration(to: .now) > .seconds(limit) {
                timedOut = true
                killAll()
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        let elapsed = start.duration(to: .now) / .seconds(1)
        let code = process.terminationStatus + (process.terminationReason == .exit ? 0 : 128)
        let ofRanks = (try? FileManager.default.contentsOfDirectory(atPath: codes.path))?.compactMap {
            (try? String(contentsOf: codes.appendingPathComponent($0), encoding: .utf8))
                .flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        return Launcher.Outcome(
            exitCode: code, timedOut: timedOut, standardOutput: standardOutputSoFar,
            standardError: (try? String(contentsOf: errors, encoding: .utf8)) ?? "", seconds: elapsed,
            exitCodes: ofRanks ?? [code])
    }

    /// Waits until the condition holds or the program ends.
    /// - Returns: whether it holds.
    func wait(until condition: () -> Bool) async throws -> Bool {
        while process.isRunning, start.duration(to: .now) < .seconds(limit) {
            if condition() { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return condition()
    }

    /// Sends a signal to the started process itself: mpirun, or the program without it.
    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Sends a signal to the ranks, in no order.
    func signalRanks(_ number: Int32) {
        for child in descendants where Self.name(of: child) == "dicerank" { kill(child, number) }
        if Self.name(of: process.processIdentifier) == "dicerank" { kill(process.processIdentifier, number) }
    }

    /// Kills the process and all that it started.
    func killAll() {
        for child in [process.processIdentifier] + descendants { kill(child, SIGKILL) }
    }

    private var descendants: [pid_t] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        var children: [pid_t: [pid_t]] = [:]
        for one in entries.compactMap({ pid_t($0) }) {
            guard let parent = Self.parent(of: one) else { continue }
            children[parent, default: []].append(one)
        }
        var found: [pid_t] = []
        var open = [process.processIdentifier]
        while let next = open.popLast() {
            found += children[next] ?? []
            open += children[next] ?? []
        }
        return found
    }

    private static func parent(of process: pid_t) -> pid_t? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        // After the name in parentheses: state, parent, ...
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? pid_t(fields[1]) : nil
    }

    private static func name(of process: pid_t) -> String? {
        (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
