import ArgumentParser
import Collectives
import Engine
import Foundation
import Geometry
import Inference
import RunFiles
import Sampling
import Training

extension Dicerank {
    /// Segments whole volumes.
    struct Segment: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Segment whole volumes with a trained network.",
            discussion: """
                Writes OUTPUT/SUBJECT.nii.gz, the most probable class of each voxel, on the grid of the subject's \
                images; with --probabilities also OUTPUT/SUBJECT_probabilities_CLASS.nii.gz for each class, 0 being the \
                background. Images are normalised as in training. Started by mpirun or srun, the ranks divide the \
                subjects among themselves.

                The same command again computes only what is not there yet, whole and of the same images and checkpoint; \
                the headers of the segmentations say of which they are. Files that other programs made are not replaced \
                unless --overwrite says so, and files that are read never.

                Examples:
                  dicerank segment --checkpoint run --held-out --output predictions
                  dicerank segment --checkpoint run --list subjects.csv --output predictions --probabilities
                  dicerank segment --checkpoint run --image flair=f.nii.gz --image t1=t.nii.gz --output out
                """)

        @Option(
            help: ArgumentHelp(
                "A checkpoint, or a run, whose newest one is taken.", valueName: "FILE|RUN_DIR"))
        var checkpoint: String

        @Option(help: ArgumentHelp("CSV list of the subjects.", valueName: "CSV"))
        var list: String?

        @Option(
            help: ArgumentHelp(
                "An image of a single subject; once for each modality of the training.",
                valueName: "modality=FILE"))
        var image: [String] = []

        @Option(
            help: ArgumentHelp(
                "With --image: the mask to normalise in, where the training had one.", valueName: "FILE"))
        var mask: String?

        @Option(
            help: ArgumentHelp(
                "With --image: the subject's name; default the first image's name.", valueName: "NAME"))
        var subject: String?

        @Option(help: ArgumentHelp("Folder for the segmentations.", valueName: "DIR"))
        var output: String

        @Flag(help: "Write the probability of each class too.")
        var probabilities = false

        @Flag(help: "Compute again what is there, and replace files of these names that other programs made.")
        var overwrite = false

        @OptionGroup var common: CommonOptions

        @Flag(help: "Segment the subjects that the training has held out.")
        var heldOut = false

        func validate() throws {
            let ways = [list != nil, !image.isEmpty, heldOut].filter { $0 }.count
            guard ways == 1 else { throw ValidationError("Expected one of --list, --image and --held-out.") }
            if image.isEmpty, mask != nil || subject != nil {
                throw ValidationError("--mask and --subject go with --image.")
            }
        }

        func run() throws {
            try PathArgument.expectFolder(output, "--output")
            try Ranks.run { world in
                let report = common.report
                let isFirst = world.rank == 0
                let (trained, subjects) = try world.together {
                    let trained = try TrainedNetwork(path: checkpoint) { if isFirst { report.warning($0) } }
                    return (trained, try self.subjects(for: trained))
                }
                let threads = trained.configuration.threads.map { ThreadRequest.exactly($0) } ?? .automatic
                let placement = try Placement.query(on: world, threads: threads)
                if isFirst {
                    let names = trained.modalities.joined(separator: ", ")
                    report.note(
                        "\(trained.path), step \(trained.step): \(names); \(subjects.count) to segment")
                    placement.oversubscription.map(report.warning)
                }
                try trained.compareGrids(of: subjects, on: world, report)
                try world.together { try prepareOutput(subjects, of: trained) }
                if isFirst { warnOfCase(subjects) }
                let pending = try pending(subjects, of: trained, on: world)
                let window = trained.window(
                    on: try DeviceChoice.device(threads: placement.threads),
                    memoryBytes: WindowMemory.bytes(ranks: placement.ranksOnNode.count))
                let own = stride(from: world.rank, to: pending.count, by: world.size).map { pending[$0] }
                let progress = SegmentationProgress(
                    console: Console(), volumes: own.count, quiet: common.quiet || !isFirst)
                window.observer = { progress.add(operations: $0.operations) }
                for files in own { try segment(files, with: trained, window, progress) }
            }
        }

        /// The images to segment.
        private func subjects(for trained: TrainedNetwork) throws -> [SubjectFiles] {
            let data = trained.configuration.data
            if !image.isEmpty { return [try singleSubject(for: trained)] }
            let list = try SubjectList(reading: list ?? data.list)
            let files = try list.files(modalities: trained.modalities, reference: nil, mask: data.mask)
            guard heldOut else { return files }
            try HeldOut.check(list, against: trained.subjects, of: trained.path)
            let names = Set(try HeldOut.rows(of: list, by: trained.configuration).map(\.subject))
            return files.filter { names.contains($0.subject) }
        }

        private func singleSubject(for trained: TrainedNetwork) throws -> SubjectFiles {
            var paths: [String: String] = [:]
            for one in image {
                let parts = one.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2 else {
                    throw ValidationError("--image is '\(one)', expected modality=FILE.")
                }
                guard paths.updateValue(parts[1], forKey: parts[0]) == nil else {
                    throw ValidationError("--image names the modality \(parts[0]) twice.")
                }
            }
            let expected = trained.modalities
            guard Set(paths.keys) == Set(expected) else {
                throw CommandError(
                    "--image names \(paths.keys.sorted().joined(separator: ", ")), and \(trained.path) was trained on "
                        + "\(expected.joined(separator: ", ")).")
            }
            if let column = trained.configuration.data.mask, mask == nil {
                throw CommandError(
                    "\(trained.path) was trained on intensities normalised inside the mask \(column); give --mask FILE."
                )
            }
            let images = expected.map { SubjectFiles.Image(modality: $0, path: paths[$0] ?? "") }
            let name = subject ?? Self.stem(of: images[0].path)
            if let fault = SubjectName.fault(of: name) {
                throw CommandError(
                    subject == nil
                        ? "The name of \(images[0].path) gives a subject \"\(name)\", \(fault): choose one with --subject."
                        : "--subject is \"\(name)\", \(fault).")
            }
            return SubjectFiles(
                subject: name, images: images,
                mask: trained.configuration.data.mask == nil ? nil : mask)
        }

        /// A file's name without folder and without `.nii` or `.nii.gz`.
        static func stem(of path: String) -> String {
            let name = URL(fileURLWithPath: path).lastPathComponent
            let ending = [".nii.gz", ".nii", ".hdr", ".img"].first { name.hasSuffix($0) }
            return String(name.dropLast(ending?.count ?? 0))
        }

        /// Segments one subject and writes the result.
        private func segment(
            _ files: SubjectFiles, with trained: TrainedNetwork, _ window: SlidingWindow,
            _ progress: SegmentationProgress
        ) throws {
            // Of the files as they are before they are read.
            let mark = mark(of: files, by: trained)
            let start = ContinuousClock.now
            let subject = try trained.reader.read(files)
            let size = subject.extent
            let layout = try window.layout(for: size)
            progress.begin(
                subject.name, windows: layout.origins.count,
                operationsOfWindow: try trained.graph.forwardFLOPs(inputSize: layout.window))
            func show(_ done: SlidingWindow.Progress) { progress.reach(windows: done.completedWindows) }
            let labels: [UInt8]
            if probabilities {
                let map = try window.probabilities(images: subject.images, size: size, progress: show)
                for index in 0..<map.classes {
                    let volume = Volume(
                        geometry: subject.geometry, voxels: subject.restored(Array(map[class: index])))
                    try volume.write(
                        to: path(of: subject.name, class: index),
                        description: mark.text(VoxelDigest(volume.voxels)))
                }
                labels = map.labels()
            } else {
                labels = try window.labels(images: subject.images, size: size, progress: show)
            }
            let path = path(of: subject.name)
            let map = LabelMap(geometry: subject.geometry, labels: subject.restored(labels))
            try map.write(to: path, description: mark.text(VoxelDigest(labels: map.labels)))
            progress.end()
            let foreground = labels.count { $0 != 0 }
            let volume = Double(foreground) * subject.geometry.voxelCubicMillimetres / 1000
            let seconds = start.secondsToNow
            common.report.note(
                "\(subject.name): \(counted(foreground, "foreground voxel")) (\(String(format: "%.2f", volume)) ml), "
                    + "\(counted(layout.origins.count, "window")) of \(layout.window), \(String(format: "%.1f", seconds)) s"
            )
            common.report.result(path)
        }
    }
}
