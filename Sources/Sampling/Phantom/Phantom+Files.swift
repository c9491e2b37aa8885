import Foundation
import Geometry

extension Phantom {
    /// What was written.
    public struct Facts: Sendable {
        public struct Subject: Sendable {
            public let name: String
            public let lesionVoxels: Int
            /// Lesion voxels over all voxels of the volume.
            public let foregroundFraction: Double
            /// Lesions that do not touch each other, not even at a corner.
            public let lesions: Int
            /// Volume of the largest of them.
            public let largestLesionMillilitres: Double
            public let whiteMatterVoxels: Int
        }

        public let subjects: [Subject]
        /// The subject list, to be named as `data.list`.
        public let listPath: String
        /// Millimetres.
        public let spacing: Double
    }

    /// Columns of the subject list besides `subject`.
    public static let columns = ["flair", "t1", "t2", "lesion", "wm"]

    /// Writes `count` subjects, a folder each, and `subjects.csv`, which comes last.
    ///
    /// - Parameters:
    ///   - folder: made where it does not exist; files of the same name are replaced.
    ///   - progress: called after every subject with the number of those that are done.
    /// - Throws: `PhantomError`, `NIfTIError` or `SubjectListError`.
    public func write(subjects count: Int, to folder: String, progress: (Int) -> Void = { _ in }) throws
        -> Facts
    {
        precondition(count > 0, "\(count) subjects")
        var facts: [Facts.Subject] = []
        var rows: [[String]] = []
        for index in 0..<count {
            let subject = try subject(index)
            let place = folder + "/" + subject.name
            do {
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            } catch {
                throw PhantomError.noFolder(path: place, reason: error.localizedDescription)
            }
            let images = [subject.flair, subject.t1, subject.t2]
            for (column, image) in zip(Phantom.columns, images) {
                try image.write(to: "\(place)/\(column).nii.gz", storage: .int16)
            }
            try subject.lesion.write(to: "\(place)/lesion.nii.gz")
            try subject.whiteMatter.write(to: "\(place)/wm.nii.gz")
            rows.append([subject.name] + Phantom.columns.map { "\(subject.name)/\($0).nii.gz" })
            facts.append(describe(subject))
            progress(index + 1)
        }
        let listPath = folder + "/subjects.csv"
        try SubjectList.write(columns: Phantom.columns, rows: rows, to: listPath)
        return Facts(subjects: facts, listPath: listPath, spacing: spacing)
    }

    private func describe(_ subject: Subject) -> Facts.Subject {
        let sizes = componentSizes(subject.lesion.labels, extent: subject.lesion.geometry.extent)
        let lesionVoxels = sizes.reduce(0, +)
        return Facts.Subject(
            name: subject.name, lesionVoxels: lesionVoxels,
            foregroundFraction: Double(lesionVoxels) / Double(subject.lesion.labels.count),
            lesions: sizes.count,
            largestLesionMillilitres: Double(sizes.max() ?? 0) * subject.lesion.geometry.voxelCubicMillimetres
                / 1000,
            whiteMatterVoxels: subject.whiteMatter.labels.reduce(0) { $0 + Int($1) })
    }
}

/// Voxels of each group of foreground voxels that touch by a face, an edge or a corner.
func componentSizes(_ labels: [UInt8], extent: Size3) -> [Int] {
    var isOpen = labels.map { $0 != 0 }
    var sizes: [Int] = []
    for start in labels.indices where isOpen[start] {
        isOpen[start] = false
        var pending = [start]
        var size = 0
        while let offset = pending.popLast() {
            size += 1
            let v = VoxelIndex(offset: offset, in: extent)
            for z in max(0, v.z - 1)...min(extent.depth - 1, v.z + 1) {
                for y in max(0, v.y - 1)...min(extent.height - 1, v.y + 1) {
                    for x in max(0, v.x - 1)...min(extent.width - 1, v.x + 1) {
                        let neighbour = (z * extent.height + y) * extent.width + x
                        if isOpen[neighbour] {
                            isOpen[neighbour] = false
                            pending.append(neighbour)
                        }
                    }
                }
            }
        }
        sizes.append(size)
    }
    return sizes
}
