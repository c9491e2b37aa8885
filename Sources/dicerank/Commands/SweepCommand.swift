import ArgumentParser
import Collectives
import Foundation
import RunFiles
import Sweep
import Training

extension Dicerank {
    /// Trains every combination of networks, patch sizes, learning rates and losses.
    struct Sweep: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Train all combinations of networks, patches, learning rates and losses; compare them.",
            discussion: """
                A sweep is a YAML file:

                  ranks_per_run: all          # or a number: several cells at a time on groups of so many ranks
                  last: 200                   # steps at the end that the tables take the median DSC over
                  run:                        # a run's configuration, without what the sweep varies
                    steps: 1000
                    data: {list: subjects.csv, held_out: 0.2}
                  networks:                   # each with its own patches
                    highres3dnet: {patches: [{size: 51, batch: 4}, {size: 85, batch: 1}]}
                    narrow: {name: highres3dnet, patches: [{size: 51, batch: 4}], set: {network.hidden: 40}}
                  learning_rates: [1.0e-3, 1.0e-4]                  # default 1e-3, 1e-4, 1e-5
                  losses: [wce, gdl, {label: gdl+wce, name: gdl, set: {loss.add: {wce: 0.5}}}]   # default all four
                  figure: {subject: null, network: null, patch: auto, learning_rate: auto}       # of the slices

                Each combination is a cell: an ordinary run in OUTPUT/runs/NETWORK-pSIZE-bBATCH-lrRATE-LOSS. All are \
                checked before the first one starts. SIGTERM, SIGUSR1 and Ctrl-C stop the sweep with a checkpoint, \
                as they stop train, and with the same exit codes; the same command goes on from there and passes over \
                what is done. A cell that fails, such as by a loss that is not finite, is noted in its failure.txt and \
                shown as failed, and the sweep goes on.

                At the end OUTPUT/report holds index.html, the tables as Markdown and CSV, and the figures as SVG; see \
                dicerank report --help. The slices show the cells of one network, patch and learning rate: by default \
                the largest patch and the middle learning rate of the first network that takes volumes, on the held-out \
                subject with the median foreground volume.

                Started by mpirun or srun, all ranks train one cell after the other, or with ranks_per_run groups of \
                ranks train cells side by side; the ranks of a group must divide each batch, and all must see the same \
                files.

                Examples:
                  dicerank sweep Configs/phantom_sweep.yaml --output sweep --dry-run
                  mpirun -np 4 --bind-to none dicerank sweep sweep.yaml --output sweep --set ranks_per_run=1
                """)

        @Argument(help: ArgumentHelp("Sweep, a YAML file.", valueName: "CONFIG"))
        var config: String

        @Option(help: ArgumentHelp("Folder of the sweep.", valueName: "DIR"))
        var output: String

        @Option(
            help: ArgumentHelp(
                "Replace a value of the sweep, such as run.steps=100; may be repeated.",
                valueName: "key.sub=value"))
        var set: [String] = []

        @Flag(help: "List the cells, their sizes and how far they are, and train nothing.")
        var dryRun = false

        @Flag(help: "Run cells again that failed before.")
        var retryFailed = false

        @Flag(help: "Make the report of what is done, and train nothing.")
        var reportOnly = false

        @OptionGroup var common: CommonOptions

        func validate() throws {
            if dryRun, reportOnly { throw ValidationError("--dry-run and --report-only exclude each other.") }
        }

        func run() throws {
            try PathArgument.expectFolder(output, "--output")
            let signal = try Ranks.run { world -> Int32? in
                let sweep = try world.together {
                    try SweepConfiguration(
                        contentsOf: config, overrides: set, warn: ConfigurationOptions.warn(of: config))
                }
                let plan = try SweepPlan(sweep, folder: SweepFolder(output), reading: [config], ranks: world)
                if dryRun {
                    if world.rank == 0 { plan.listing.forEach(common.report.result) }
                    return nil
                }
                let left = plan.cells.filter { $0.isPending(retryFailed: retryFailed) }
                if !reportOnly, !left.isEmpty {
                    try plan.checkSubjects(of: left, on: world)
                    try plan.gridWarnings(on: world).forEach(common.report.warning)
                    let runner = SweepRunner(plan, left, report: common.report, world: world)
                    if let signal = try runner.run() {
                        let reason =
                            "stopped by \(StopSignals.name(signal)); the same command goes on from there."
                        if world.rank == 0 { common.report.result("\(output): \(reason)") }
                        return signal
                    }
                }
                try makeReport(plan, world)
                return nil
            }
            try Failure.exitCode(ofSignal: signal)
        }

        /// Rank 0 makes the report; the others wait. What it fails by, all fail by.
        private func makeReport(_ plan: SweepPlan, _ world: any Communicator) throws {
            let made = Result {
                world.rank == 0 ? try SweepReport(plan, report: common.report).write() : ""
            }
            _ = try world.idleMaximum(0)
            var sentence = ""
            if case .failure(let error) = made { sentence = Failure.sentence(for: error) }
            sentence = try world.broadcast(sentence, from: 0)
            guard sentence.isEmpty else { throw CommandError(sentence) }
            if world.rank == 0 { common.report.result(try made.get()) }
        }
    }
}
