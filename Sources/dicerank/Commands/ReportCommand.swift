import ArgumentParser
import Foundation
import Reporting
import RunFiles

extension Dicerank {
    /// Compares runs.
    struct Compare: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "report",
            abstract: "Compare runs: tables, figures and one HTML page.",
            discussion: """
                Reads config.yaml, metrics.csv, summary.json and held_out.csv of each run and writes, into the folder \
                of --output:
                  index.html    everything on one page, which needs no other file
                  report.md     the tables: median (interquartile range) of the DSC over the last steps
                  runs.csv      all numbers, a row a run
                  held_out.csv  the DSC of each held-out subject after each run
                  *.svg         the figures: isolines over learning rate and patch size, box plots of held-out \
                subjects, training curves
                Runs are compared by network, patch size, learning rate and loss; a network with several learning \
                rates and patch sizes gets isolines, others medians with quartiles. A sweep makes the same report of \
                its own runs.

                Examples:
                  dicerank report runs/gdl runs/wce --output report
                  dicerank report runs/* --last 100 --title "Losses on our data" --output report
                """)

        @Argument(help: ArgumentHelp("Folders of runs.", valueName: "RUN_DIR"))
        var runs: [String]

        @Option(help: ArgumentHelp("Folder for the report; made where it is missing.", valueName: "DIR"))
        var output: String

        @Option(
            help: ArgumentHelp("Steps at the end of a run that the median is taken over.", valueName: "N"))
        var last = 200

        @Option(help: ArgumentHelp("The page's title.", valueName: "TEXT"))
        var title = "Comparison of runs"

        @OptionGroup var common: CommonOptions

        func validate() throws {
            guard (1...1_000_000_000).contains(last) else {
                throw ValidationError("--last is \(last), expected 1 to 1000000000.")
            }
        }

        func run() throws {
            guard LaunchedRank.current.isFirst else { return }
            try PathArgument.expectFolder(output, "--output")
            for run in runs { try PathArgument.expectFolder(run, "RUN_DIR") }
            try ReportFolder.check(
                output,
                reading: runs.flatMap { run in
                    ["config.yaml", "metrics.csv", "summary.json", "held_out.csv"].map { "\(run)/\($0)" }
                })
            let compared = ComparedRun.inPaperOrder(try runs.map { ComparedRun(try RunRecord(folder: $0)) })
            let comparison = try Comparison(compared, last: last)
            let unfinished = compared.filter { if case .unfinished = $0.outcome { true } else { false } }
            if !unfinished.isEmpty {
                common.report.warning(
                    "not all steps are done of \(unfinished.map(\.name).joined(separator: ", ")): the tables leave them out."
                )
            }
            let report = RunReport(title: title, comparison: comparison)
            common.report.result(try report.write(to: output))
        }
    }
}
