import Foundation

/// Many damaged files of one kind, each read as the commands read it.
///
/// A run goes on for 20 seconds and at most 5,000 cases; `DICERANK_FUZZ` gives a number of cases instead,
/// `DICERANK_FUZZ_SEED` another seed than 1, and `DICERANK_FUZZ_FIRST` the first case, so that
/// `DICERANK_FUZZ=1` with it repeats one.
///
/// The cases run in a process of their own (an exit test), so that a trap, a hang or memory that runs away is
/// a failure that names the case, and whatever a library prints to standard error is seen.
public struct FuzzRun {
    /// Of files, as in "volume".
    public let kind: String
    private let seed: UInt64
    private let first: Int
    private let count: Int
    private let seconds: Double

    public init(_ kind: String) {
        let environment = ProcessInfo.processInfo.environment
        func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
        self.kind = kind
        seed = UInt64(number("DICERANK_FUZZ_SEED") ?? 1)
        first = number("DICERANK_FUZZ_FIRST") ?? 0
        count = number("DICERANK_FUZZ") ?? 5000
        seconds = number("DICERANK_FUZZ") == nil ? 20 : .infinity
    }

    /// A fault of a reader: what it did and must not do.
    public struct Fault: Error, CustomStringConvertible {
        public let description: String

        public init(_ description: String) { self.description = description }
    }

    /// The longest that a case may compute.
    private static let longestSeconds = 2.0
    /// What a run may take beside what the process has when it begins: damaged sizes must not be believed.
    private static let allowedBytes = 1 << 30

    /// Runs the cases in this process, prints how they ended, and ends the process where there was a fault.
    /// - Parameter body: makes, damages and reads a file. Returns a word for how it was accepted; throws the
    ///   reader's error with the name that its sentence must have, or a ``Fault``.
    public func run(_ body: (inout SeededGenerator) throws -> Outcome) {
        let outputs = redirectOutput()
        limitMemory()
        var counts: [String: Int] = [:]
        var faults = 0
        var slowest = (seconds: 0.0, number: first)
        let begin = Date()
        var number = first
        while number < first + count, Date().timeIntervalSince(begin) < seconds {
            print("case \(number)")
            fflush(nil)
            // A hang ends the process with a signal.
            alarm(120)
            var random = SeededGenerator(seed: seed, number: number)
            // The processor's time: other work on the machine is no fault of a reader's.
            let start = clock()
            do {
                let outcome = try body(&random)
                counts[outcome.word, default: 0] += 1
                if let fault = outcome.fault { throw Fault(fault) }
            } catch {
                faults += 1
                print("fault: case \(number) of seed \(seed): \(error)")
            }
            let taken = Double(clock() - start) / Double(CLOCKS_PER_SEC)
            if taken > slowest.seconds { slowest = (taken, number) }
            if taken > Self.longestSeconds {
                faults += 1
                print("fault: case \(number) of seed \(seed) took \(taken) s")
            }
            number += 1
        }
        alarm(0)
        print(
            "\(kind): seed \(seed), \(number - first) cases from \(first), \(faults) faults, "
                + "the slowest (case \(slowest.number)) in \(Int(slowest.seconds * 1000)) ms")
        for (word, count) in counts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            print("\(kind): \(count) \(word)")
        }
        fflush(nil)
        restore(outputs)
        if faults > 0 { exit(1) }
    }

    /// How a reader took a file.
    public struct Outcome {
        let word: String
        let fault: String?

        /// It was read, and what was read is as it must be.
        public static func accepted(_ how: String = "") -> Outcome {
            Outcome(word: "accepted" + (how.isEmpty ? "" : " (\(how))"), fault: nil)
        }

        /// It was refused with an error of the reader's own.
        /// - Parameter names: of which the sentence must have one.
        public static func refused(_ error: any Error, naming names: [String]) -> Outcome {
            Outcome(word: "refused: " + name(of: error), fault: Sentence.fault(in: "\(error)", naming: names))
        }

        private static func name(of error: any Error) -> String {
            let mirror = Mirror(reflecting: error)
            let fault = mirror.children.first { $0.label == "fault" }
            let inner = fault.map { Mirror(reflecting: $0.value) } ?? mirror
            let word =
                inner.displayStyle == .enum ? inner.children.first?.label ?? "\(fault?.value ?? error)" : ""
            return "\(type(of: error))" + (word.isEmpty ? "" : ".\(word)")
        }
    }

    private func limitMemory() {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
            .first
        let used = (pages.flatMap { Int($0) } ?? 0) * Int(getpagesize())
        var limit = rlimit(
            rlim_cur: rlim_t(used + Self.allowedBytes), rlim_max: rlim_t(used + Self.allowedBytes))
        setrlimit(__rlimit_resource_t(UInt32(RLIMIT_AS.rawValue)), &limit)
    }

    // MARK: Output

    /// Where the process of the cases, a child of `parent`, prints: how far it was is known when it has
    /// crashed too.
    private func path(_ name: String, parent: pid_t) -> String {
        FileManager.default.temporaryDirectory.path + "/dicerank-fuzz-\(kind)-\(parent).\(name)"
    }

    /// Points standard output and error to files.
    /// - Returns: what they were.
    private func redirectOutput() -> [CInt] {
        [(STDOUT_FILENO, "out"), (STDERR_FILENO, "err")].map { descriptor, name in
            let old = dup(descriptor)
            let file = open(path(name, parent: getppid()), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o600)
            precondition(file >= 0 && dup2(file, descriptor) >= 0, "the output of \(kind)s cannot be kept")
            return old
        }
    }

    /// What the testing library prints as the process ends is not the readers'.
    private func restore(_ outputs: [CInt]) {
        for (descriptor, old) in zip([STDOUT_FILENO, STDERR_FILENO], outputs) { dup2(old, descriptor) }
    }

    /// What is wrong with the run that a child of this process has made; prints how its cases ended.
    public func complaints() -> [String] {
        let texts = ["out", "err"].map { name in
            let path = path(name, parent: getpid())
            defer { unlink(path) }
            return String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        }
        let lines = texts[0].split(separator: "\n").map(String.init)
        let last = lines.last { $0.hasPrefix("case ") } ?? "no case"
        for line in lines where line.hasPrefix("\(kind): ") { print(line) }
        var complaints = Array(lines.filter { $0.hasPrefix("fault: ") }.prefix(20))
        if !texts[1].isEmpty { complaints.append("standard error up to \(last): \(texts[1].prefix(3000))") }
        if !lines.contains(where: { $0.hasPrefix("\(kind): ") }) {
            complaints.append("the process ended in \(last) of seed \(seed)")
        }
        return complaints
    }
}

/// What a message to a user must be: one sentence.
public enum Sentence {
    /// What is wrong with a message, or nil.
    /// - Parameter names: of files; it must have one of them.
    public static func fault(in text: String, naming names: [String]) -> String? {
        func fault(_ reason: String) -> String { "\(reason): \(text.debugDescription.prefix(1000))" }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            return fault("more than one line, or control characters")
        }
        if !text.hasSuffix("."), !text.hasSuffix("?") { return fault("no end of a sentence") }
        if text.hasSuffix("..") { return fault("two ends of a sentence") }
        if !names.contains(where: text.contains) { return fault("no name of a file") }
        let plain = names.reduce(text) { $0.replacing($1, with: "FILE") }
        if plain.count > 400 { return fault("\(plain.count) characters") }
        for word in [
            "Optional(", "Error Domain", "NSCocoa", "Code=", "couldn", "DecodingError", "nil", "<unknown",
        ]
        where plain.contains(word) {
            return fault("the raw text \(word)")
        }
        // What is quoted is the user's.
        let own = plain.split(omittingEmptySubsequences: false) { $0 == "'" || $0 == "\"" }.enumerated()
            .filter { $0.offset % 2 == 0 }.map(\.element).joined(separator: " ")
        let longest = own.split(whereSeparator: { !$0.isASCII || !$0.isNumber && $0 != "," }).map {
            $0.count { $0 != "," }
        }.max()
        if let longest, longest > 20 { return fault("a number of \(longest) digits") }
        return nil
    }
}
