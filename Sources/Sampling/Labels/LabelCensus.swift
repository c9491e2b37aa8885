/// The labels of a data set as its files have them, and what becomes of each.
public struct LabelCensus: Sendable {
    private struct Count {
        var subjects = 0
        var voxels = 0
    }

    private var counts: [Int: Count] = [:]

    public init() {}

    /// Counts the labels of a reference.
    /// - Throws: `NIfTIError`, where the file does not hold whole numbers too.
    public mutating func add(_ path: String) throws {
        for (label, voxels) in try NIfTIInput(path: path).countLabels() {
            counts[label, default: Count()].subjects += 1
            counts[label, default: Count()].voxels += voxels
        }
    }

    /// A line a label, ascending: who has it and which class it becomes. Of more than `most` labels the
    /// others are counted.
    public func lines(_ merging: LabelMerging, classes: Int, most: Int = 60) -> [String] {
        let labels = counts.keys.sorted()
        let lines = labels.prefix(most).map { label in
            let fate =
                switch merging.destination(of: label, classes: classes) {
                case .class(let index): "class \(index)"
                case .noClass: "no class: refused"
                case .unnamed(let sources):
                    "refused, since merge_labels makes \(listed(sources.map(String.init))) class \(label) and does "
                        + "not name \(label)"
                }
            let count = counts[label] ?? Count()
            return
                "  \(label): \(counted(count.voxels, "voxel")) in \(counted(count.subjects, "subject")), \(fate)"
        }
        return lines + (labels.count > most ? ["  and \(counted(labels.count - most, "other label"))"] : [])
    }
}
