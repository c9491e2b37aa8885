import ArgumentParser
import Collectives
import Engine
import Foundation
import Host
import Training

extension Dicerank {
    /// Measures parts of a training.
    struct Bench: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Measure parts of a training.",
            subcommands: [PlanProfile.self, Step.self, Scaling.self])

        /// Measures training steps on random data.
        struct Step: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Time training steps of a configuration on random data.",
                discussion: """
                    Data files are not read; patch, batch, accumulate, network, loss and threads are the \
                    configuration's, and under mpirun the ranks share the batch. With --interactive it prints \
                    "ready", then answers each line "step" on standard input with the seconds of a step and each \
                    line "memory" with its peak in bytes, so that a script can alternate it with another program; \
                    ranks that wait for a line keep their cores busy.

                    Examples:
                      dicerank bench step Configs/wmh_highres3dnet_paper.yaml --channels 3 --steps 5
                      mpirun -np 5 dicerank bench step Configs/wmh_highres3dnet_paper.yaml
                    """)

            @OptionGroup var configuration: ConfigurationOptions

            @Option(help: ArgumentHelp("Input channels.", valueName: "N"))
            var channels = 3

            @Option(help: ArgumentHelp("Steps to time, after one that is not.", valueName: "N"))
            var steps = 5

            @Flag(help: "Answer lines on standard input.")
            var interactive = false

            @OptionGroup var common: CommonOptions

            func validate() throws {
                guard (1...1024).contains(channels), (1...1_000_000).contains(steps) else {
                    throw ValidationError(
                        "Expected --channels from 1 to 1024 and --steps from 1 to 1000000, found \(channels) and "
                            + "\(steps).")
                }
            }

            func run() throws {
                try Ranks.run { world in
                    let configuration = try world.together {
                        try self.configuration.read()
                    }
                    let placement = try Placement.query(
                        on: world, threads: configuration.threads.map { .exactly($0) } ?? .automatic)
                    let device = try DeviceChoice.device(threads: placement.threads)
                    let algorithms = try RandomStep.algorithms(
                        configuration, channels: channels, device: device, on: world)
                    let measured = try world.together {
                        try RandomStep(
                            configuration, channels: channels, device: device, communicator: world,
                            algorithms: algorithms)
                    }
                    if world.rank == 0 { common.report.note(measured.step.summary) }
                    _ = try measured.seconds()
                    // As training does after its first step.
                    if configuration.distributed.bucketMebibytes == nil {
                        _ = try measured.step.reducer.tuneBuckets()
                    }
                    if interactive {
                        try serve(measured, world)
                    } else {
                        for _ in 0..<steps { say(String(format: "%.4f", try measured.seconds()), world) }
                    }
                }
            }

            private func say(_ line: String, _ world: any Communicator) {
                if world.rank == 0 { common.report.result(line) }
            }

            /// Rank 0 reads the lines and tells the others what to do.
            private func serve(_ step: RandomStep, _ world: any Communicator) throws {
                say("ready", world)
                while true {
                    let order = try world.together { world.rank == 0 ? try Order.read() : .step }
                    switch Order(rawValue: try world.allReduce(world.rank == 0 ? order.rawValue : 0, .sum)) {
                    case .step: say("\(try step.seconds())", world)
                    case .memory: say("\(try world.allReduce(Int64(Machine.peakBytes), .maximum))", world)
                    default: return
                    }
                }
            }

            private enum Order: Int64 {
                case end, step, memory

                static func read() throws -> Order {
                    switch readLine() {
                    case nil: return .end
                    case "step": return .step
                    case "memory": return .memory
                    case .some(let line):
                        throw CommandError("The line '\(line)' was read, expected step or memory.")
                    }
                }
            }
        }
    }
}
