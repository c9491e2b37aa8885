import ArgumentParser

/// The command: one subcommand a file.
@main
struct Dicerank: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dicerank",
        abstract: "Train 3D segmentation networks on badly imbalanced labels, on one machine or many.",
        discussion: """
            Started by mpirun or srun, train and segment divide their work among the ranks; started alone, they \
            use all cores.

            Example, from nothing to scores:
              dicerank phantom phantoms --subjects 12 --size 96
              mpirun -np 2 --bind-to none dicerank train phantoms/config.yaml --output run
              dicerank segment --checkpoint run --held-out --output predictions
              dicerank evaluate --prediction predictions --config run/config.yaml --held-out
            """,
        version: "0.1.0",
        subcommands: [
            Phantom.self, Inspect.self, Train.self, Sweep.self, Segment.self, Evaluate.self, Compare.self,
            Doctor.self, Bench.self,
        ])

    /// Errors end the process with one sentence on standard error, on one rank only where all have the same.
    static func main() {
        Report.openClosedStreams()
        do {
            try CommandName.check(CommandLine.arguments.dropFirst(), of: Self.self)
            var command = try parseAsRoot()
            try command.run()
        } catch {
            Failure.exit(with: error)
        }
    }
}
