import ArgumentParser
import Collectives
import Engine
import Foundation
import Training

extension Dicerank {
    /// Measures parts of a training.
    struct Bench: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Measure parts of a training.",
            subcommands: [PlanProfile.self, Step.self])

        /// Measures training steps on random data.
        struct Step: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Time training steps of a configuration on random data.",
                discussion: """
                    Data files are not read; patch, batch, network, loss and threads are the configuration's, on one \
                    rank. With --interactive it prints "ready", then answers each line "step" on standard input with \
                    the seconds of a step and each line "memory" with its peak in bytes, so that a script can \
                    alternate it with another program.

                    Example:
                      dicerank bench step Configs/wmh_highres3dnet.yaml --channels 3 --steps 5
                    """)

            @Argument(help: ArgumentHelp("Configuration, a YAML file.", valueName: "CONFIG"))
            var config: String

            @Option(help: ArgumentHelp("Input channels.", valueName: "N"))
            var channels = 3

            @Option(help: ArgumentHelp("Steps to time, after one that is not.", valueName: "N"))
            var steps = 5

            @Flag(help: "Answer lines on standard input.")
            var interactive = false

            @Option(
                help: ArgumentHelp(
                    "Replace a value of the configuration; may be repeated.", valueName: "key.sub=value"))
            var set: [String] = []

            @OptionGroup var common: CommonOptions

            func validate() throws {
                guard (1...1024).contains(channels), (1...1_000_000).contains(steps) else {
                    throw ValidationError(
                        "Expected --channels from 1 to 1024 and --steps from 1 to 1000000, found \(channels) and "
                            + "\(steps).")
                }
            }

            func run() throws {
                let configuration = try RunConfiguration(contentsOf: config, overrides: set)
                let placement = try Placement.query(
                    on: SoloCommunicator(),
                    threads: configuration.threads.map { .exactly($0) } ?? .automatic)
                let step = try RandomStep(configuration, channels: channels, threads: placement.threads)
                common.report.note(step.plan.summary)
                _ = try step.seconds()
                guard interactive else {
                    for _ in 0..<steps { common.report.result(String(format: "%.4f", try step.seconds())) }
                    return
                }
                common.report.result("ready")
                while let line = readLine() {
                    switch line {
                    case "step": common.report.result("\(try step.seconds())")
                    case "memory": common.report.result("\(Machine.peakBytes)")
                    default: throw CommandError("The line '\(line)' was read, expected step or memory.")
                    }
                }
            }
        }
    }
}
