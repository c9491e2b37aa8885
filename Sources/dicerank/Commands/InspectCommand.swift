import ArgumentParser
import Engine
import Foundation
import Geometry
import Inference
import Networks
import Sampling
import Training

extension Dicerank {
    /// Tells what a data set is made of, and how imbalanced its patches are.
    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a data set holds and how imbalanced the patches drawn from it are.",
            discussion: """
                Reads all files as a training would, those of held-out subjects too, so that what is wrong with them is \
                found here. First the labels that the references hold and the class that data.merge_labels makes of \
                each. For each subject: \
                grid in mm and orientation, share of each class, number of lesions (parts that touch at least by a corner) and their \
                sizes. Then for each patch size the foreground share of the effective patches as the configured \
                sampler draws them: median, quartiles and the smallest. Subjects that cannot be sampled are named.

                Examples:
                  dicerank inspect config.yaml
                  dicerank inspect config.yaml --patch 51 --patch 63 --patch 85 --draws 500
                """)

        @OptionGroup var configuration: ConfigurationOptions

        @Option(
            help: ArgumentHelp(
                "Edge of a patch, in voxels; may be repeated; default the configuration's.", valueName: "N"))
        var patch: [Int] = []

        @Option(help: ArgumentHelp("Patches to draw from each subject.", valueName: "N"))
        var draws = 200

        @OptionGroup var common: CommonOptions

        func validate() throws {
            guard (1...1_000_000).contains(draws) else {
                throw ValidationError("--draws is \(draws), expected 1 to 1000000.")
            }
        }

        func run() throws {
            let configuration = try self.configuration.read()
            let task = try TrainingTask(configuration)
            let sizes = try patchSizes(task)
            task.slicesWarning.map(common.report.warning)
            let plane = task.isPlanar ? configuration.patch.slices.rawValue : nil
            var subjects: [SubjectInspection] = []
            var shares = sizes.map { _ in [Double]() }
            var unsampled = sizes.map { _ in [String]() }
            for line in try InspectionText.labels(task) { common.report.result(line) }
            for (number, files) in (task.subjects + task.heldOut).enumerated() {
                let isHeldOut = number >= task.subjects.count
                let subject = try task.reader.read(files)
                let inspection = SubjectInspection(subject, classes: configuration.data.classes)
                subjects.append(inspection)
                common.report.result(
                    InspectionText.line(inspection, plane: plane) + (isHeldOut ? "; held out" : ""))
                // No patch is drawn from it.
                guard !isHeldOut else { continue }
                for (index, size) in sizes.enumerated() {
                    let patches = PatchInspection(
                        subject, number: number, sampler: configuration.sampler, effective: size.effective,
                        draws: draws, seed: UInt64(configuration.seed))
                    shares[index] += patches.shares
                    if patches.positions == 0 { unsampled[index].append(subject.name) }
                }
            }
            for line in InspectionText.summary(subjects, heldOut: task.heldOut.count) {
                common.report.result(line)
            }
            let grids = subjects.map { SubjectGrid($0.name, $0.geometry) }
            GridComparison(grids, view: task.gridView).warnings.forEach(common.report.warning)
            common.report.result(
                "Foreground of the effective patches that the \(configuration.patch.sampler.rawValue) sampler draws, "
                    + "\(draws) of each subject:")
            for (index, size) in sizes.enumerated() {
                common.report.result(InspectionText.line(size, shares[index]))
                if !unsampled[index].isEmpty {
                    common.report.warning(
                        "with patches of \(size.name), nothing can be drawn from "
                            + unsampled[index].joined(separator: ", ") + ": "
                            + configuration.data.noForeground.consequence + ".")
                }
            }
        }

        private func patchSizes(_ task: TrainingTask) throws -> [PatchSize] {
            let edges = patch.isEmpty ? nil : patch
            guard let edges else {
                return [PatchSize(input: task.patchSize, effective: Size3(task.effectiveSize))]
            }
            return try edges.map { edge in
                let effective = try task.network.effectiveEdge(ofPatch: edge)
                let depth = task.patchSize.depth == 1 ? 1 : edge
                return PatchSize(
                    input: Size3(depth, edge, edge),
                    effective: Size3(depth == 1 ? 1 : effective, effective, effective))
            }
        }
    }
}

/// A patch and the part of it that the loss is taken on.
private struct PatchSize {
    let input: Size3
    let effective: Size3

    var name: String { "\(input), effective \(effective.depth)x\(effective.height)x\(effective.width)" }
}

extension Size3 {
    fileprivate init(_ size: Size3) { self.init(size.depth, size.height, size.width) }
}

/// The lines of `inspect`.
enum InspectionText {
    static func line(_ subject: SubjectInspection, plane: String?) -> String {
        let extent = subject.geometry.extent
        let total = Double(extent.count)
        let classes = subject.classVoxels.enumerated().dropFirst()
            .map { "class \($0) \(percent(Double($1) / total))" }.joined(separator: ", ")
        let orientation =
            subject.geometry.orientation
            + (subject.geometry.hasTransform ? "" : " (assumed: the header has no transform)")
        let slices = plane.map { ", \(counted(subject.extent.depth, "\($0) slice"))" } ?? ""
        return
            "\(subject.name): \(extent.xyz) voxels of \(millimetres(subject.geometry.voxelMillimetres)), \(orientation)\(slices), "
            + "\(classes); \(lesions(subject))"
    }

    private static func lesions(_ subject: SubjectInspection) -> String {
        guard let largest = subject.lesions.first,
            let quartiles = Quartiles(of: subject.lesions.map(Double.init))
        else { return "no lesion" }
        let millilitres = subject.geometry.voxelCubicMillimetres / 1000
        return "\(counted(subject.lesions.count, "lesion")), median "
            + "\(counted(Int(quartiles.median.rounded()), "voxel")), largest \(largest) "
            + "(\(String(format: "%.2f", Double(largest) * millilitres)) ml)"
    }

    static func summary(_ subjects: [SubjectInspection], heldOut: Int) -> [String] {
        let shares = subjects.map { Double($0.foregroundVoxels) / Double($0.geometry.extent.count) }
        let sizes = subjects.flatMap { $0.lesions.map(Double.init) }
        let share = heldOut > 0 ? ", \(heldOut) of them held out" : ""
        var lines = [
            "\(counted(subjects.count, "subject"))\(share), foreground of a volume: \(spread(shares))"
        ]
        if let quartiles = Quartiles(of: sizes) {
            lines.append(
                "\(counted(sizes.count, "lesion")), voxels: median \(number(quartiles.median)) (\(number(quartiles.lower)) to "
                    + "\(number(quartiles.upper))), largest \(number(sizes.max() ?? 0))")
        }
        return lines
    }

    fileprivate static func line(_ size: PatchSize, _ shares: [Double]) -> String {
        "  \(size.name): \(spread(shares))"
    }

    private static func spread(_ shares: [Double]) -> String {
        guard let quartiles = Quartiles(of: shares) else { return "nothing to draw" }
        return
            "median \(percent(quartiles.median)) (\(percent(quartiles.lower)) to \(percent(quartiles.upper))), "
            + "smallest \(percent(shares.min() ?? 0))"
    }

    private static func percent(_ share: Double) -> String { String(format: "%.3g %%", 100 * share) }

    private static func number(_ value: Double) -> String { String(format: "%.0f", value) }
}

extension NoForegroundRule {
    /// What becomes of a subject without foreground in training.
    fileprivate var consequence: String {
        switch self {
        case .error: "training would end there (data.no_foreground: error)"
        case .skip: "training draws from others instead (data.no_foreground: skip)"
        case .uniform: "training draws from it anywhere (data.no_foreground: uniform)"
        }
    }
}
