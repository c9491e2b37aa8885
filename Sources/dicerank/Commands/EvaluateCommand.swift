import ArgumentParser
import Configuration
import Foundation
import Inference
import RunFiles
import Sampling
import Training

extension Dicerank {
    /// Scores segmentations.
    struct Evaluate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Score segmentations against their references.",
            discussion: """
                Reads DIR/SUBJECT.nii.gz or DIR/SUBJECT.nii for the subjects of a list and prints for each subject \
                and class: DSC, sensitivity, precision, relative volume difference, and volumes in ml; then median \
                and interquartile range. A subject without a prediction is an error, unless --skip-missing is given. \
                Two empty segmentations have a DSC of 1; a ratio without denominator is left out of the medians.

                With --config, list, reference, classes and merged labels are those of a training, and --held-out \
                scores only the subjects that it has not seen. References of probabilities are cut at a half.

                --output writes a row a subject and class, and beside it, with _summary in its name, a row for the \
                median and each quartile of a class: statistic, class, and the columns of the scores.

                Examples:
                  dicerank evaluate --prediction predictions --list test.csv --reference tumour
                  dicerank evaluate --prediction predictions --config run/config.yaml --held-out
                """)

        @Option(help: ArgumentHelp("Folder with the segmentations.", valueName: "DIR"))
        var prediction: String

        @Option(
            help: ArgumentHelp("CSV list of the subjects; default the configuration's.", valueName: "CSV"))
        var list: String?

        @Option(
            help: ArgumentHelp(
                "Configuration of the training, or its run's config.yaml.", valueName: "CONFIG"))
        var config: String?

        @Option(
            help: ArgumentHelp(
                "Column with the references; default the configuration's, or lesion.", valueName: "COLUMN"))
        var reference: String?

        @Option(
            help: ArgumentHelp(
                "Number of classes, background included; default the configuration's, or 2.", valueName: "N"))
        var classes: Int?

        @Option(
            help: ArgumentHelp(
                "CSV file for the scores; their summary goes to another beside it.", valueName: "FILE"))
        var output: String?

        @Flag(help: "Score only the subjects that the configuration holds out.")
        var heldOut = false

        @Flag(help: "Leave out subjects without a prediction, and name them.")
        var skipMissing = false

        @OptionGroup var common: CommonOptions

        func validate() throws {
            guard list != nil || config != nil else {
                throw ValidationError("Expected --list or --config, found neither.")
            }
            if heldOut, config == nil || list != nil {
                throw ValidationError(
                    "--held-out needs --config, whose list and seed it follows, and no --list.")
            }
            if let classes, !(2...255).contains(classes) {
                throw ValidationError("--classes is \(classes), expected 2 to 255.")
            }
        }

        func run() throws {
            guard LaunchedRank.current.isFirst else { return }
            try PathArgument.expectFolder(prediction, "--prediction")
            let configuration = try config.map {
                try RunConfiguration(contentsOf: $0, warn: ConfigurationOptions.warn)
            }
            let data = configuration?.data ?? RunConfiguration(list: "").data
            let subjects = try SubjectList(reading: list ?? data.list)
            var rows = subjects.rows
            if heldOut, let configuration {
                try checkSubjects(of: subjects)
                rows = try HeldOut.rows(of: subjects, by: configuration)
            }
            let column = reference ?? data.reference
            let references = try subjects.files(modalities: [column], reference: nil, mask: nil)
            if let output {
                try PathArgument.expectParentFolder(output, "--output")
                let predictions = try rows.compactMap { try predictionFile(of: $0.subject) }
                var check = OutputCheck(reading: subjects.paths + [config].compactMap { $0 } + predictions)
                try check.add(output, as: "the scores", own: .text(["subject,class,dsc,"]))
                try check.add(
                    Self.summaryPath(of: output), as: "the summary of the scores", own: .text(["statistic,"]))
            }
            var table = ScoreTable()
            var grids: [SubjectGrid] = []
            var missing: [String] = []
            for row in rows {
                guard let file = try predictionFile(of: row.subject) else {
                    missing.append(row.subject)
                    continue
                }
                guard let path = references.first(where: { $0.subject == row.subject })?.images.first?.path
                else {
                    continue
                }
                let expected = try readReference(path, data)
                grids.append(SubjectGrid(row.subject, expected.geometry))
                let scores = try score(
                    prediction: file, reference: expected, at: path, classes: classes ?? data.classes)
                table.add(subject: row.subject, scores: scores)
            }
            try report(missing: missing, of: rows.count, in: subjects.path)
            GridComparison.pixdimWarning(grids).map(common.report.warning)
            if let output {
                try write(table.csv, to: output)
                try write(table.summaryCSV, to: Self.summaryPath(of: output))
            }
            common.report.result(table.text.trimmingCharacters(in: .newlines))
        }

        /// Compares the list with that of the training, where `--config` is in its run's folder.
        private func checkSubjects(of list: SubjectList) throws {
            guard let config else { return }
            let folder = URL(fileURLWithPath: config).deletingLastPathComponent().path
            guard let found = try CheckpointStore(runFolder: folder, keep: 1).newest() else { return }
            found.warnings.forEach(common.report.warning)
            try HeldOut.check(list, against: found.checkpoint.subjects, of: found.path)
        }

        /// Where the medians and quartiles go: `scores_summary.csv` for `scores.csv`.
        static func summaryPath(of path: String) -> String {
            let ending = path.hasSuffix(".csv") ? ".csv" : ""
            return path.dropLast(ending.count) + "_summary" + ending
        }

        private func predictionFile(of subject: String) throws -> String? {
            let paths = ["nii.gz", "nii"].map { "\(prediction)/\(subject).\($0)" }
            let found = paths.first { FileManager.default.fileExists(atPath: $0) }
            if found == nil, let link = paths.lazy.compactMap(DanglingLink.init).first { throw link }
            return found
        }

        private func readReference(
            _ path: String, _ data: RunConfiguration.Data
        ) throws -> LabelMap {
            let classes = classes ?? data.classes
            switch data.referenceKind {
            case .labels: return try LabelMap(reading: path, classes: classes, merging: data.mergeLabels)
            case .probabilities: return try LabelMap(readingProbabilities: path, classes: classes)
            }
        }

        private func score(
            prediction: String, reference expected: LabelMap, at path: String, classes: Int
        ) throws -> [SegmentationScores] {
            let found = try LabelMap(reading: prediction, classes: classes)
            if let difference = found.geometry.difference(from: expected.geometry) {
                throw CommandError(
                    "\(prediction) \(difference), which is the grid of the reference \(path).")
            }
            return SegmentationScores.ofClasses(
                prediction: found.labels, reference: expected.labels, classes: classes,
                voxelVolume: expected.geometry.voxelCubicMillimetres)
        }

        private func report(missing: [String], of count: Int, in list: String) throws {
            guard let first = missing.first else { return }
            let isOne = missing.count == 1
            let others = isOne ? "" : " and \(counted(missing.count - 1, "other"))"
            let what =
                "of the \(counted(count, "subject")) of \(list), \(first)\(others) \(isOne ? "has" : "have") no "
                + "segmentation in \(prediction)"
            guard skipMissing, missing.count < count else {
                throw CommandError(
                    "Expected \(prediction)/\(first).nii.gz or .nii, found neither: \(what)"
                        + (missing.count < count ? "; --skip-missing scores the others." : "."))
            }
            common.report.warning("\(what), and \(isOne ? "is" : "are") not scored.")
        }

        private func write(_ text: String, to path: String) throws {
            do {
                try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            } catch {
                throw CommandError("\(path) could not be written: \(error.localizedDescription)")
            }
        }
    }
}

/// The subjects that a training does not see.
enum HeldOut {
    static func rows(of list: SubjectList, by configuration: RunConfiguration) throws -> [SubjectList.Row] {
        let split = configuration.split(subjects: list.rows.count)
        guard !split.heldOut.isEmpty else {
            throw CommandError(
                "The configuration holds out no subject of \(list.path): data.held_out is "
                    + "\(configuration.data.heldOut), and a share above 0 is expected.")
        }
        return split.heldOut.map { list.rows[$0] }
    }

    /// Checks that a list is split as it was for a training.
    /// - Parameter names: what the checkpoint at `path` knows of the training's list; nil where it does not
    ///   tell.
    static func check(_ list: SubjectList, against names: SubjectNames?, of path: String) throws {
        try names?.check(
            SubjectNames(of: list), list: list.path, path: path,
            remedy: "name a list of subjects that the training has not seen with --list")
    }
}
