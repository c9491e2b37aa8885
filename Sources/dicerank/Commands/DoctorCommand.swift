import ArgumentParser
import CPU
import Collectives
import Engine
import Foundation
import Host

extension Dicerank {
    /// Says what the machine gives.
    struct Doctor: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what this machine gives: MPI, oneDNN, cores, memory, and whether mpirun works.",
            discussion: """
                Needs neither MPI nor a wide SIMD unit to run. Starts two ranks of itself through mpirun and has them \
                exchange data. The exit code is 0 if training on several ranks works here.

                Example:
                  dicerank doctor
                """)

        @Flag(help: "Do not start ranks through mpirun.")
        var noLaunch = false

        @Flag(help: .hidden)
        var rankCheck = false

        @OptionGroup var common: CommonOptions

        func run() throws {
            if rankCheck { return try checkRanks() }
            let report = common.report
            func show(_ name: String, _ text: String) {
                report.result(name.padding(toLength: 14, withPad: " ", startingAt: 0) + text)
            }
            show("dicerank", Dicerank.configuration.version)
            let placement = try Placement.query(on: SoloCommunicator())
            show("processor", Machine.processor)
            let quota = placement.quota.map { ", a quota of \($0) processors" } ?? ""
            show(
                "cores",
                "\(ProcessInfo.processInfo.processorCount), of which this process may use "
                    + "\(placement.cores.count) (\(ranges(of: placement.cores)))\(quota)")
            let two = max(1, placement.threads / 2)
            show("threads", "\(placement.threads) for one rank, \(two) each for two")
            let total = gibibytes(Int(ProcessInfo.processInfo.physicalMemory))
            show("memory", "\(total), \(Memory.availableBytes.map(gibibytes) ?? "an unknown part") available")
            let isas = InstructionSet.available.map(\.rawValue).joined(separator: ", ")
            let selected = Result { try InstructionSet.selected().rawValue }
            show("kernels", try "\(selected.get()), of \(isas)")
            show("oneDNN", "\(OneDNN.version), \(OneDNN.instructionSet)")
            let library = Result { () throws(MPILibraryError) in try MPILibrary.load() }
            switch library {
            case .success(let library): show("MPI", "\(library.summary) (\(library.path))")
            case .failure(let error): show("MPI", "\(error)")
            }
            if noLaunch { return }
            show("mpirun", try launch())
        }

        /// Starts two ranks; returns what they said.
        private func launch() throws -> String {
            guard let mpirun = Machine.program("mpirun") else {
                throw CommandError(
                    "There is no mpirun in PATH; install openmpi-bin, or load your cluster's module.")
            }
            // Root's consent and more ranks than cores are Open MPI's options, MPICH has neither.
            var options = ["-np", "2"]
            if MPILibrary.implementation == "Open MPI" {
                options += ["--oversubscribe", "--bind-to", "none"]
                if getuid() == 0 { options.append("--allow-run-as-root") }
            }
            let program = BoundedProgram(
                path: mpirun, arguments: options + [Machine.executable, "doctor", "--rank-check"],
                withheldPrefixes: ["OMPI_", "PMIX_", "PMI_"], limit: .seconds(60))
            let outcome = try program.run()
            let command = (["mpirun"] + options).joined(separator: " ")
            guard let code = outcome.exitCode else {
                throw CommandError("\(command) did not end within 60 seconds.")
            }
            guard code == 0 else {
                let said = outcome.errors.split(separator: "\n").first { $0.hasPrefix("error: ") }
                let reason = said.map { $0.dropFirst(7) } ?? outcome.errors.split(separator: "\n").first
                throw CommandError("\(command) ended with code \(code): \(reason ?? "it said nothing").")
            }
            let answer = outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
            let seconds = String(format: "%.1f", outcome.duration / .seconds(1))
            return "works: \(answer), in \(seconds) s (\(command))"
        }

        /// One of the ranks: adds up, gathers and waits for the others, and checks the results.
        private func checkRanks() throws {
            try Ranks.run { world in
                let size = world.size
                guard size > 1 else {
                    throw CommandError("mpirun started ranks that do not know each other.")
                }
                let sum = try world.allReduce(Int64(world.rank + 1), .sum)
                guard sum == Int64(size * (size + 1) / 2) else {
                    throw CommandError(
                        "The ranks' numbers add up to \(sum), expected \(size * (size + 1) / 2).")
                }
                let names = try world.gather(Array("\(world.rank)".utf8), to: 0)
                let expected = world.rank == 0 ? (0..<size).map { Array("\($0)".utf8) } : []
                guard names == expected else {
                    throw CommandError("The ranks' bytes arrived in the wrong order.")
                }
                try world.barrier()
                if world.rank == 0 {
                    let hosts = Set(world.hostNames).sorted().joined(separator: ", ")
                    common.report.result("\(size) ranks on \(hosts) exchanged data")
                }
            }
        }

        private func gibibytes(_ bytes: Int) -> String {
            String(format: "%.1f GiB", Double(bytes) / 1_073_741_824)
        }
    }
}
