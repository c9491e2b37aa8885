/// Why the files of a subject do not make a subject.
public enum SubjectError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `difference` is what `VolumeGeometry.difference(from:tolerance:)` says.
    case gridsDiffer(
        subject: String, role: String, path: String, difference: String, firstRole: String, firstPath: String)
    case emptyMask(subject: String, path: String)
    case nothingToNormaliseBy(subject: String, path: String)
    case constantImage(subject: String, path: String, value: Double, isMasked: Bool)
    /// The sampler finds no position in the subject, and the rule is to stop.
    case noForeground(subject: String)
    /// The sampler finds no position in any of the subjects that a slot draws from.
    case slotWithoutForeground(slot: Int, subjects: [String])

    public var description: String { oneLine(sentence) }

    private var sentence: String {
        switch self {
        case .gridsDiffer(let subject, let role, let path, let difference, let firstRole, let firstPath):
            "In subject \(subject), \(role) (\(path)) \(difference), as \(firstRole) (\(firstPath)) has it."
        case .emptyMask(let subject, let path):
            "In subject \(subject), the mask \(path) marks no voxel; "
                + "the voxels to normalise by are expected to be greater than 0.5."
        case .nothingToNormaliseBy(let subject, let path):
            "In subject \(subject), every voxel of \(path) is 0, so it cannot be z-scored."
        case .constantImage(let subject, let path, let value, let isMasked):
            "In subject \(subject), every \(isMasked ? "voxel of the mask" : "voxel that is not 0") has the value "
                + "\(short(value)) in \(path), so it cannot be z-scored."
        case .noForeground(let subject):
            "Subject \(subject) has no foreground voxel in its reference, so no patch can be drawn from it."
        case .slotWithoutForeground(let slot, let subjects):
            "Slot \(slot) draws from \(listed(subjects)), and "
                + "\(subjects.count == 1 ? "it has no" : "none of them has a") foreground voxel; "
                + "take such subjects from the list or sample them uniformly."
        }
    }
}
