import ArgumentParser
import Foundation

/// Options that every subcommand has.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print results and errors only.")
    var quiet = false

    var report: Report { Report(isQuiet: quiet) }
}

/// Where text goes: results to standard output, notes and progress to standard error.
struct Report: Sendable {
    let isQuiet: Bool

    /// What the command was asked for.
    func result(_ text: String) {
        print(text)
        fflush(nil)
    }

    /// What is good to know; nothing when quiet.
    func note(_ text: String) {
        if !isQuiet { Self.standardError(text) }
    }

    /// Something that may be wrong but does not end the command; nothing when quiet.
    func warning(_ text: String) { note("warning: \(text)") }

    static func standardError(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
