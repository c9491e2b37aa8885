import ArgumentParser
import Collectives
import Foundation

/// How the process ends when something is wrong.
enum Failure {
    /// Prints `error: ` and one sentence on standard error and exits with the error's code; help and version
    /// requests print on standard output and exit with 0.
    static func exit(with error: any Error) -> Never {
        // What a signal stopped has been said.
        if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
        let code = Dicerank.exitCode(for: error)
        if code.isSuccess {
            print(Dicerank.fullMessage(for: error))
        } else if !(error is ReportedFailure), LaunchedRank.current.isFirst {
            report(error)
        }
        Foundation.exit(code.rawValue)
    }

    /// Makes the process end with the exit code that a signal has, where one stopped the work before its end:
    /// 128 and the signal's number; 0 for SIGUSR1, by which job scripts stop a run that they start again.
    /// - Parameter signal: The same on all ranks; nil for none.
    /// - Throws: `ExitCode`.
    static func exitCode(ofSignal signal: Int32?) throws {
        guard let signal, signal != SIGUSR1 else { return }
        throw ExitCode(128 + signal)
    }

    /// Prints the sentence of an error on standard error.
    static func report(_ error: any Error) {
        Report.standardError("error: \(sentence(for: error))")
    }

    /// One line that ends with a period.
    static func sentence(for error: any Error) -> String {
        let lines = Dicerank.message(for: error).split(whereSeparator: \.isNewline)
        let text = lines.map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
        return text.isEmpty || text.hasSuffix(".") || text.hasSuffix("?") ? text : text + "."
    }
}

/// Something that is wrong with options or files, found by the command itself.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The rank that a launcher gave this process, known before MPI starts.
struct LaunchedRank {
    let rank: Int

    /// Whether this process speaks for all where all have the same to say.
    var isFirst: Bool { rank == 0 }

    /// From Open MPI, MPICH and its kin, or Slurm; a process without a launcher is the first.
    static var current: LaunchedRank {
        let names = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"]
        let environment = ProcessInfo.processInfo.environment
        return LaunchedRank(rank: names.lazy.compactMap { environment[$0].flatMap { Int($0) } }.first ?? 0)
    }
}
