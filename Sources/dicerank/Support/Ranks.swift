import Collectives

/// The ranks of a job, as the command uses them.
enum Ranks {
    /// Runs `body` on all ranks, or alone without a launcher. A failure is printed once for all ranks.
    static func run<Result>(_ body: (any Communicator) throws -> Result) throws -> Result {
        try World.run(report: { Report.standardError("error: \($0)") }, body)
    }
}
