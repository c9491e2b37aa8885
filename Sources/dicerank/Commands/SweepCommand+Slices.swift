import Collectives
import Configuration
import Engine
import Foundation
import Geometry
import Host
import Inference
import Reporting
import RunFiles
import Sampling
import Training

/// A slice of a held-out subject as the losses of one network, patch and learning rate segment it.
struct SweepSlices {
    private let plan: SweepPlan
    private let report: Report

    init(_ plan: SweepPlan, report: Report) { (self.plan, self.report) = (plan, report) }

    /// - Throws: `CommandError` and errors of files, with the reason why there is no such slice.
    func make() throws -> SliceComparison {
        let names = plan.sweep.figureCells.map(\.name)
        let cells = plan.cells.filter { names.contains($0.cell.name) }
        let done = try cells.filter {
            try plan.folder.state(of: $0.cell, configuration: $0.configuration) == .done
        }
        guard let first = done.first else {
            throw CommandError("None of the runs that it shows is done: \(names.joined(separator: ", ")).")
        }
        let trained = try done.map { cell in
            try TrainedNetwork(path: cell.folder) { report.warning($0) }
        }
        let files = try subject(of: first.configuration, heldOutFrom: trained)
        report.note("Segmenting \(files.subject) after \(done.count) of the runs")
        let subject = try trained[0].reader.read(files)
        // A network of slices reads the axes in an order of its own.
        guard let reference = subject.reference.map(subject.restored) else {
            throw CommandError("\(files.subject) has no reference.")
        }
        let slice = AxialSlice(subject.geometry, mostOf: reference)
        let predictions = try zip(done, trained).map { cell, network in
            let labels = subject.restored(try labels(of: subject, by: network))
            let scores = SegmentationScores.ofClasses(
                prediction: labels, reference: reference, classes: cell.configuration.data.classes,
                voxelVolume: 1)
            return SliceComparison.Prediction(
                loss: cell.cell.loss, mask: slice.cut(labels).map { $0 != 0 },
                dice: scores.last?.dice ?? 0)
        }
        let image = slice.cut(subject.restored(Array(subject.images[0..<subject.extent.count])))
        return SliceComparison(
            subject: files.subject, setting: setting(first),
            modality: first.configuration.data.modalities.first ?? "",
            slice: SliceComparison.Slice(
                width: slice.width, height: slice.height, aspect: slice.aspect, grey: Self.shades(image),
                reference: slice.cut(reference).map { $0 != 0 }, predictions: predictions))
    }

    private func setting(_ cell: SweepPlan.Cell) -> String {
        "Trained: \(cell.cell.network), patches of \(cell.inputPatch.map(String.init).joined(separator: "x")) "
            + "voxels, \(cell.configuration.stepPatches) a step, "
            + "learning rate \(Quantity.scientificText(cell.cell.learningRate))"
    }

    private func labels(of subject: Subject, by network: TrainedNetwork) throws -> [UInt8] {
        // The other ranks wait, and sleep.
        let request = network.configuration.threads.map { ThreadRequest.exactly($0) } ?? .automatic
        let threads = try Placement.query(on: SoloCommunicator(), threads: request).threads
        let free = Memory.availableBytes ?? 4 << 30
        let window = network.window(on: try DeviceChoice.device(threads: threads), memoryBytes: free / 2)
        return try window.labels(images: subject.images, size: subject.extent)
    }

    /// The subject that is configured, or the held-out one with the median foreground volume; of an even
    /// number the smaller of the two in the middle.
    private func subject(
        of configuration: RunConfiguration, heldOutFrom networks: [TrainedNetwork]
    ) throws -> SubjectFiles {
        let data = configuration.data
        let list = try SubjectList(reading: data.list)
        for network in networks { try HeldOut.check(list, against: network.subjects, of: network.path) }
        let heldOut = Set(try HeldOut.rows(of: list, by: configuration).map(\.subject))
        let files = try list.files(
            modalities: data.modalities, reference: data.reference, mask: data.mask
        ).filter { heldOut.contains($0.subject) }
        if let name = plan.sweep.figure.subject {
            guard let one = files.first(where: { $0.subject == name }) else {
                throw CommandError(
                    "figure.subject is '\(name)', expected a held-out subject: "
                        + "\(files.map(\.subject).joined(separator: ", ")).")
            }
            return one
        }
        let volumes = try files.map { file in
            guard let path = file.reference else { return 0.0 }
            let map = try LabelMap(reading: path, classes: data.classes, merging: data.mergeLabels)
            return Double(map.labels.count { $0 != 0 }) * map.geometry.voxelCubicMillimetres
        }
        let order = files.indices.sorted { (volumes[$0], $0) < (volumes[$1], $1) }
        return files[order[(order.count - 1) / 2]]
    }

    /// Shades from black at the hundredth part of the darkest pixels to white at that of the brightest.
    static func shades(_ pixels: [Float]) -> [UInt8] {
        let ordered = pixels.sorted()
        guard let low = ordered.first, let last = ordered.last, low < last else {
            return pixels.map { _ in 0 }
        }
        let dark = ordered[ordered.count / 100]
        let bright = ordered[ordered.count - 1 - ordered.count / 100]
        let range = bright > dark ? (dark, bright) : (low, last)
        return pixels.map { UInt8(min(max(255 * ($0 - range.0) / (range.1 - range.0), 0), 255)) }
    }
}
