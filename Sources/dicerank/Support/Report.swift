import ArgumentParser
import Collectives
import Foundation

/// Options that every subcommand has.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print results, warnings and errors only.")
    var quiet = false

    var report: Report { Report(isQuiet: quiet) }
}

/// Where text goes: results to standard output, notes and progress to standard error.
struct Report: Sendable {
    let isQuiet: Bool

    /// Opens standard input, output and error where they were closed: a file of the run would get their
    /// number, and then what is printed.
    static func openClosedStreams() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
            _ = open("/dev/null", O_RDWR)
        }
    }

    /// What the command was asked for.
    func result(_ text: String) {
        print(text)
        fflush(nil)
    }

    /// What is good to know; nothing when quiet.
    func note(_ text: String) {
        if !isQuiet { Self.standardError(text) }
    }

    /// Something that may be wrong but does not end the command; also when quiet.
    func warning(_ text: String) { Self.standardError("warning: \(text)") }

    static func standardError(_ line: String) {
        StandardError.write(line + "\n")
    }
}
