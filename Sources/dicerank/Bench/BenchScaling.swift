import ArgumentParser
import Collectives
import RunFiles

extension Dicerank.Bench {
    /// Measures a step's parts and says what it takes on more ranks and other links.
    struct Scaling: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forecast the step on more ranks and other links from what is measured here.",
            discussion: """
                Data files are not read. Measured on the ranks that there are, all at once, as they share cores and \
                memory: a step's computation without communication, when its backward completes the gradients, its \
                small exchanges (statistics of batch norm, sums of the loss), and the links between the ranks. Under \
                mpirun, steps on these ranks and on each smaller power of two of them are measured too and stand \
                beside what the model says of them.

                The model: gradients are reduced in buckets, one after the other, each as soon as backward has \
                completed it; the step is the computation, what of the reduction goes on after backward, and the \
                small exchanges. A message takes latency + bytes / bandwidth; a bucket of n bytes on N ranks takes \
                2 (N - 1) latencies on a ring and 2 log2 N on a tree, and 2 (N - 1) / N n / bandwidth on both; a small \
                exchange takes log2 N latencies and what the other ranks give. The bucket size is the best of the \
                powers of two from 64 KiB on, as distributed.bucket_mib: auto chooses it.

                Weak scaling keeps the patches of a rank, so that the batch grows with the ranks; strong scaling \
                keeps the configuration's batch, with the computation on fewer patches interpolated between two that \
                are measured. Efficiency is the step's computation, at the speed of the weak case, over the step.

                The model knows no congestion: every rank has a link of its own to every other. It knows no \
                stragglers: all ranks are as fast as these and start together. It takes it that messages move while \
                backward computes, which most MPI libraries do only as often as they are polled, and leaves out what \
                polling costs, the reading and sampling of data, and checkpoints.

                Examples:
                  mpirun -np 4 dicerank bench scaling Configs/wmh_highres3dnet_paper.yaml
                  dicerank bench scaling config.yaml --local-batch 2 --link 10:25 --link 100:1.5 --max-ranks 64
                """)

        @OptionGroup var configuration: ConfigurationOptions

        @Option(help: ArgumentHelp("Input channels.", valueName: "N"))
        var channels = 3

        @Option(help: ArgumentHelp("Steps to time of each kind, after one that is not.", valueName: "N"))
        var steps = 5

        @Option(
            help: ArgumentHelp(
                "Patches of a rank; default the configuration's batch divided by the ranks.", valueName: "N"))
        var localBatch: Int?

        @Option(
            help: ArgumentHelp(
                """
                A link to forecast for, with the latency of a message; may be repeated; default 1, 10, 25, 100 and \
                200, with 30 microseconds up to 10 Gbit/s and 2 beyond.
                """, valueName: "Gbit/s[:microseconds]"))
        var link: [ForecastLink] = []

        @Option(help: ArgumentHelp("The most ranks to forecast for.", valueName: "N"))
        var maxRanks = 1024

        @Option(help: ArgumentHelp("Write the forecast to this file as well.", valueName: "FILE.csv"))
        var csv: String?

        @OptionGroup var common: CommonOptions

        func validate() throws {
            guard (1...1024).contains(channels), (1...1000).contains(steps) else {
                throw ValidationError(
                    "Expected --channels from 1 to 1024 and --steps from 1 to 1000, found \(channels) and \(steps)."
                )
            }
            guard (2...1_048_576).contains(maxRanks) else {
                throw ValidationError("--max-ranks is \(maxRanks), expected 2 to 1048576.")
            }
            if let localBatch, !(1...4096).contains(localBatch) {
                throw ValidationError("--local-batch is \(localBatch), expected 1 to 4096.")
            }
        }

        func run() throws {
            try Ranks.run { world in
                let configuration = try world.together {
                    let configuration = try self.configuration.read()
                    try configuration.checkDeterminism(ranks: world.size)
                    if world.rank == 0, let csv {
                        var check = OutputCheck(reading: [self.configuration.config, configuration.data.list])
                        try check.add(
                            csv, as: "the forecast", own: .text([ScalingReport.csv([])]),
                            remedy: "choose another --csv")
                    }
                    return configuration
                }
                let measurement = try ScalingMeasurement(
                    configuration, channels: channels, steps: steps,
                    slots: localBatch ?? max(1, configuration.batch / world.size), world: world)
                guard world.rank == 0 else { return }
                let forecasts = ScalingForecast.all(
                    measurement, links: link.isEmpty ? ForecastLink.all : link, maxRanks: maxRanks,
                    globalBatch: configuration.batch)
                for line in ScalingReport.lines(measurement, forecasts) { common.report.result(line) }
                try csv.map { try AtomicFile.write($0, text: ScalingReport.csv(forecasts)) }
            }
        }
    }
}
