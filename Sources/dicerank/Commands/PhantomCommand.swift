import ArgumentParser
import Foundation
import RunFiles
import Sampling

extension Dicerank {
    /// Makes a synthetic data set and a configuration that trains on it.
    struct Phantom: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a synthetic data set: FLAIR, T1 and T2 heads with white matter hyperintensities.",
            discussion: """
                Writes for each subject flair, t1, t2, the reference (lesion) and a white matter mask (wm) as .nii.gz \
                files, the list subjects.csv, and config.yaml, which trains on them and holds out a fifth of the \
                subjects. The same options give the same files.

                Example:
                  dicerank phantom phantoms --subjects 12 --size 96 --foreground 0.002 --seed 1
                """)

        @Argument(help: ArgumentHelp("Folder to write; must be new or empty.", valueName: "OUT_DIR"))
        var folder: String

        @Option(help: ArgumentHelp("Number of subjects, 1 to 100000.", valueName: "N"))
        var subjects = 12

        @Option(help: ArgumentHelp("Voxels a side, 24 to 512; a side is 192 mm long.", valueName: "N"))
        var size = 96

        @Option(help: ArgumentHelp("Share of voxels that are lesion, up to 0.02.", valueName: "SHARE"))
        var foreground = 0.002

        @Option(help: ArgumentHelp("What the random numbers follow from.", valueName: "N"))
        var seed: UInt64 = 1

        @OptionGroup var common: CommonOptions

        func validate() throws {
            guard (1...100_000).contains(subjects) else {
                throw ValidationError("--subjects is \(subjects), expected 1 to 100000.")
            }
        }

        func run() throws {
            guard LaunchedRank.current.isFirst else { return }
            let report = common.report
            let phantom = try Sampling.Phantom(size: size, foreground: foreground, seed: seed)
            try PathArgument.expectFolder(folder, "OUT_DIR")
            let found = try? FileManager.default.contentsOfDirectory(atPath: folder)
            guard let existing = found ?? (access(folder, F_OK) == 0 ? nil : []) else {
                throw CommandError("\(folder) is no folder that can be read; a new or empty one is expected.")
            }
            guard existing.isEmpty else {
                throw CommandError(
                    "The folder \(folder) is not empty: it holds \(existing.sorted()[0]); a new or empty one is expected."
                )
            }
            let facts = try phantom.write(subjects: subjects, to: folder) { done in
                report.note("subject \(done) of \(subjects)")
            }
            let path = folder + "/config.yaml"
            try AtomicFile.write(path, text: configurationText)
            let lesions = facts.subjects.map(\.lesions)
            report.result(
                "\(counted(subjects, "subject")) of \(size)x\(size)x\(size) voxels, \(facts.spacing) mm each way, with "
                    + "\(lesions.min() ?? 0) to \(lesions.max() ?? 0) lesions: \(facts.listPath)")
            report.note("Train on them with: dicerank train \(path) --output run")
        }

        /// A run that fits the data: patches no larger than the volumes, and a fifth of the subjects held
        /// out.
        private var configurationText: String {
            """
            # Trains HighRes3DNet on the subjects of this folder. Keys that are not here have their defaults; the run's
            # own config.yaml lists all of them.
            seed: \(seed)
            steps: 300
            data:
              list: subjects.csv
              modalities: [flair, t1, t2]
              reference: lesion
              mask: wm
              held_out: \(subjects > 1 ? 0.2 : 0)
            patch: {size: \(max(37, min(51, size)))}
            batch: 4
            network: {name: highres3dnet, batch_norm: global}
            loss: {name: gdl, weights: square, pooling: image}
            optimizer: {name: adam, learning_rate: 1.0e-3}
            checkpoint: {every: 50, keep: 3}

            """
        }
    }
}
