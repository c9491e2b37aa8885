import ArgumentParser
import Configuration
import Foundation
import RunFiles
import Sampling
import Training

extension Dicerank {
    /// Trains a network as a configuration says.
    struct Train: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Train a network as a configuration file says.",
            discussion: """
                Started by mpirun or srun, the ranks divide the batch among themselves: their number must divide it, \
                and does not change the result. Relative paths in the configuration start at its folder, and those of \
                options, --set too, at the current folder.

                Without --output the run is kept in runs/NAME in the current folder, where NAME is the \
                configuration's name without extension, or its folder's name for a config.yaml.

                The subjects that data.held_out keeps out of training are segmented and scored after the last step, and \
                every evaluate.every steps; the scores are in the run's held_out.csv. A run that is done is scored, \
                where it has not been, by the same command with --set evaluate.at_end=true.

                --timeline draws the run for ui.perfetto.dev and chrome://tracing: of each rank the steps, what it \
                computes, its calls that wait for other ranks, its waits for patches, and the gradients that are \
                summed meanwhile. A step adds some 200 spans of 120 bytes for each rank, so give it a short run; after \
                a million spans of a rank the drawing ends.

                Before the first step the headers of all files are read, and the references of held-out subjects to \
                their ends; dicerank inspect reads everything. A folder that holds something else than a run is refused, \
                and so is a file for the timeline that is no timeline.

                SIGTERM, SIGUSR1 and Ctrl-C end the run with a checkpoint; the same command goes on. The exit code is \
                143 after SIGTERM and 130 after Ctrl-C, so that what follows in a script does not take the run for \
                complete, and 0 after SIGUSR1, by which a job's script stops a run that it starts again.

                Examples:
                  dicerank train phantoms/config.yaml
                  mpirun -np 4 --bind-to none dicerank train phantoms/config.yaml --output run --set batch=4
                  mpirun -np 2 dicerank train phantoms/config.yaml --set steps=20 --timeline trace.json
                """)

        @OptionGroup var configuration: ConfigurationOptions

        @Option(help: ArgumentHelp("Folder of the run.", valueName: "RUN_DIR"))
        var output: String?

        @Option(
            help: ArgumentHelp(
                "auto: go on from the run's newest checkpoint, if there is one; never: start anew, in a new folder; "
                    + "or a checkpoint file to go on from.",
                valueName: "auto|never|CHECKPOINT"))
        var resume = "auto"

        @Option(
            help: ArgumentHelp(
                "Draw the steps of all ranks in this file, in Chrome's Trace Event format (JSON).",
                valueName: "FILE"))
        var timeline: String?

        @OptionGroup var common: CommonOptions

        func run() throws {
            if let output { try PathArgument.expectFolder(output, "--output") }
            let signal = try Ranks.run { world in
                let configuration = try world.together {
                    try self.configuration.read()
                }
                let options = TrainingOptions(
                    runFolder: output ?? Self.defaultOutput(forConfiguration: self.configuration.config),
                    resume: ResumeRule(resume),
                    quiet: common.quiet, timeline: timeline, reads: [self.configuration.config],
                    version: Dicerank.configuration.version)
                let trainer = try Trainer(configuration, options: options, communicator: world)
                let summary = try trainer.run()
                if world.rank == 0 { report(summary, of: trainer, configuration, folder: options.runFolder) }
                return trainer.isComplete ? nil : trainer.stopSignal
            }
            try Failure.exitCode(ofSignal: signal)
        }

        private func report(
            _ summary: RunSummary?, of trainer: Trainer, _ configuration: RunConfiguration, folder: String
        ) {
            // Signals may have come to other ranks only: what counts is how far all ranks came.
            guard let summary else {
                let state =
                    if trainer.isComplete {
                        configuration.steps == 1
                            ? "its only step was done before"
                            : "all \(counted(configuration.steps, "step")) were done before"
                    } else if trainer.stepsDone < configuration.steps {
                        "stopped before its first step; the same command goes on"
                    } else {
                        "stopped before its held-out subjects were scored; the same command goes on"
                    }
                common.report.result("\(folder): \(state)")
                return
            }
            let isUnscored = !summary.complete && summary.steps == configuration.steps
            func share(_ value: Double) -> String { String(format: "%.3f", value) }
            common.report.result(
                "\(folder): \(summary.complete ? "done" : "stopped") after step \(summary.steps) of "
                    + "\(configuration.steps), loss \(share(summary.finalLoss)), DSC of the last "
                    + "\(Quantity.lastSteps(summary.dscSteps)): median \(share(summary.dscMedian)) "
                    + "(\(share(summary.dscFirstQuartile)) to \(share(summary.dscThirdQuartile)))"
                    + (summary.heldOut.map { held in
                        ", of \(counted(held.subjects, "held-out subject")): "
                            + "median \(share(held.dscMedian)) "
                            + "(\(share(held.dscLowerQuartile)) to \(share(held.dscUpperQuartile)))"
                    } ?? "")
                    + (isUnscored ? "; the same command scores the held-out subjects" : ""))
        }

        /// The folder of a run without `--output`.
        static func defaultOutput(forConfiguration path: String) -> String {
            let file = URL(fileURLWithPath: path).standardizedFileURL
            let name = file.deletingPathExtension().lastPathComponent
            let folder = file.deletingLastPathComponent().lastPathComponent
            return "runs/" + (name == "config" && folder != "/" ? folder : name)
        }
    }
}
