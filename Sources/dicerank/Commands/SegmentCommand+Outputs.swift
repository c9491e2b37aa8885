import Collectives
import Engine
import Foundation
import Inference
import RunFiles
import Sampling

extension Dicerank.Segment {
    /// Where the classes of a subject go.
    func path(of subject: String) -> String { "\(output)/\(subject).nii.gz" }

    /// Where the probability of one class goes.
    func path(of subject: String, class index: Int) -> String {
        "\(output)/\(subject)_probabilities_\(index).nii.gz"
    }

    private func paths(of subject: String, classes: Int) -> [String] {
        [path(of: subject)] + (probabilities ? (0..<classes).map { path(of: subject, class: $0) } : [])
    }

    /// Checks all files that are to be written, and makes the folder.
    func prepareOutput(_ subjects: [SubjectFiles], of trained: TrainedNetwork) throws {
        let data = trained.configuration.data
        let listed = image.isEmpty ? try SubjectList(reading: list ?? data.list).paths : []
        var check = OutputCheck(reading: [trained.path, data.list] + listed + subjects.flatMap(\.paths))
        let remedy =
            "choose another --output" + (image.isEmpty ? "" : ", or another name with --subject")
        for subject in subjects {
            for (index, path) in paths(of: subject.subject, classes: data.classes).enumerated() {
                let what =
                    index == 0
                    ? "the segmentation of \(subject.subject)"
                    : "the probability of class \(index - 1) of \(subject.subject)"
                try check.add(
                    path, as: what, own: overwrite ? .known : .segmentation, remedy: remedy,
                    replacement: overwrite ? nil : "replace it with --overwrite",
                    clash: "rename one of the subjects, or leave out --probabilities")
            }
        }
        do {
            try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        } catch {
            throw CommandError("The folder \(output) could not be made: \(error.localizedDescription)")
        }
    }

    /// Warns of names that a file system without upper and lower case takes for one.
    func warnOfCase(_ subjects: [SubjectFiles]) {
        let groups = Dictionary(grouping: subjects.map(\.subject)) { $0.lowercased() }
        guard let group = groups.values.filter({ $0.count > 1 }).min(by: { $0[0] < $1[0] }) else { return }
        common.report.warning(
            "the subjects \(group.joined(separator: ", ")) differ in upper and lower case alone: where the file system "
                + "of \(output) does not tell them apart, one segmentation is left of them.")
    }

    /// What the segmentation of a subject is to say of itself.
    func mark(of subject: SubjectFiles, by trained: TrainedNetwork) -> SegmentationMark {
        SegmentationMark(
            version: Dicerank.configuration.version, step: trained.step, network: trained.digest,
            paths: subject.images.map(\.path) + [subject.mask].compactMap { $0 })
    }

    /// Those that are not there yet, whole and of these images and this checkpoint; the others are told of.
    /// Ranks look at different ones. Collective.
    func pending(
        _ subjects: [SubjectFiles], of trained: TrainedNetwork, on world: any Communicator
    ) throws -> [SubjectFiles] {
        guard !overwrite else { return subjects }
        let own = try world.together {
            try subjects.indices.map { index in
                try index % world.size == world.rank && isReady(subjects[index], of: trained) ? Int64(1) : 0
            }
        }
        let all = try world.allGather(own)
        let found = subjects.indices.map { index in
            stride(from: index, to: all.count, by: subjects.count).contains { all[$0] > 0 }
        }
        for index in subjects.indices where found[index] && world.rank == 0 {
            let name = subjects[index].subject
            common.report.note("\(name): there already, of the same images and checkpoint")
            common.report.result(path(of: name))
        }
        return subjects.indices.filter { !found[$0] }.map { subjects[$0] }
    }

    /// - Throws: `CommandError` where somebody has worked on a segmentation that would be computed again.
    private func isReady(_ subject: SubjectFiles, of trained: TrainedNetwork) throws -> Bool {
        let paths = paths(of: subject.subject, classes: trained.configuration.data.classes)
        for path in paths where SegmentationMark.isEdited(at: path) {
            throw CommandError(
                "\(path) has been changed since it was computed: move it away, choose another --output, or replace it "
                    + "with --overwrite.")
        }
        guard FileManager.default.fileExists(atPath: paths[0]),
            let grid = try? VolumeHeader(reading: subject.images[0].path).geometry
        else { return false }
        let mark = mark(of: subject, by: trained)
        return paths.allSatisfy { mark.isFound(at: $0, on: grid) }
    }
}
