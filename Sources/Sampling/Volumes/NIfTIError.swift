import Geometry

/// Why a volume could not be read or written.
public enum NIfTIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no file at the path.
    case missing(path: String)
    /// The file exists, and the system does not let it be read.
    case unreadable(path: String, reason: String)
    /// The file does not begin with a sound NIfTI-1 or NIfTI-2 header.
    case notNIfTI(path: String)
    /// A header whose fields contradict each other or the standard; `fault` is the rest of a sentence.
    case header(path: String, fault: String)
    /// A header whose voxels lie in another file, which is not there.
    case otherHalfMissing(path: String, missing: String)
    /// The voxels have a type that is no real number of at most 64 bits.
    case unsupportedDatatype(path: String, datatype: String)
    /// The file holds other than one volume of three dimensions; `shape` is along x, y, z, time and so on.
    case shape(path: String, shape: [Int])
    /// The file does not hold a volume a class.
    case volumes(path: String, shape: [Int], classes: Int)
    /// A probability that is not in 0...1.
    case probabilityOutside(path: String, value: Double, position: VoxelIndex)
    /// Probabilities of the classes at a voxel that do not add up to 1.
    case probabilitySum(path: String, sum: Double, position: VoxelIndex)
    /// The file ends before its last voxel.
    case truncated(path: String, expectedBytes: Int, foundBytes: Int)
    /// The compressed stream is damaged: its checksum or structure is wrong.
    case damaged(path: String)
    /// Voxels that are NaN or infinite.
    case nonFinite(path: String, count: Int, first: VoxelIndex)
    /// A label that is not an integer.
    case fractionalLabel(path: String, value: Double, position: VoxelIndex)
    /// A label that no class has.
    case labelOutsideClasses(path: String, value: Double, position: VoxelIndex, classes: Int)
    /// A label that no list of the merging names, although others, `sources`, become the class of its number.
    case labelNotMerged(path: String, label: Int, position: VoxelIndex, sources: [Int])
    /// The volume could not be written; a file that was at the path is as it was.
    case notWritten(path: String, reason: String)

    public var description: String { oneLine(sentence) }

    private var sentence: String {
        switch self {
        case .missing(let path):
            "There is no file \(path)."
        case .unreadable(let path, let reason):
            "\(path) cannot be read: \(reason)."
        case .notNIfTI(let path):
            "\(path) is not a NIfTI file: its header is neither that of NIfTI-1 nor that of NIfTI-2."
        case .header(let path, let fault):
            "\(path) has a damaged header: \(fault)."
        case .otherHalfMissing(let path, let missing):
            "\(path) is one half of a pair of header and image, and there is no file \(missing)."
        case .unsupportedDatatype(let path, let datatype):
            "\(path) holds voxels of type \(datatype), and integers and floats of 8 to 64 bits can be read"
                + NIfTIError.remedy(for: datatype)
        case .shape(let path, let shape):
            "\(path) has the shape \(shape.map(String.init).joined(separator: " x ")); "
                + "one volume of three dimensions is expected: save the volume that is meant as a file of its own, "
                + "for example with 'fslroi IN OUT 0 1' or nibabel's 'image.slicer[..., 0]'."
        case .volumes(let path, let shape, let classes):
            "\(path) has the shape \(shape.map(String.init).joined(separator: " x ")); probabilities of "
                + "\(classes) classes are expected as \(classes) volumes, the background's first"
                + (classes == 2 ? ", or as the foreground's alone." : ".")
        case .probabilityOutside(let path, let value, let position):
            "\(path) holds \(short(value)) at \(position), and probabilities are 0 to 1."
        case .probabilitySum(let path, let sum, let position):
            "The probabilities of \(path) add up to \(short(sum)) at \(position), and not to 1."
        case .truncated(let path, let expectedBytes, let foundBytes):
            "\(path) is truncated: its header announces \(counted(expectedBytes, "byte")) of voxels and "
                + "it holds \(counted(foundBytes, "byte"))."
        case .damaged(let path):
            "\(path) is damaged: its compressed data does not match its checksum."
        case .nonFinite(let path, let count, let first):
            "\(path) holds \(counted(count, "voxel")) that \(count == 1 ? "is" : "are") NaN or infinite, "
                + "the first at \(first): write 0 there, for example with 'fslmaths IN -nan OUT' or numpy's "
                + "'nan_to_num'."
        case .fractionalLabel(let path, let value, let position):
            "\(path) holds \(short(value)) at \(position), and labels are integers: "
                + (0 < value && value < 1
                    ? "probabilities are read with data.reference_kind: probabilities, and " : "")
                + "a map that was resampled is to be resampled anew, by the nearest neighbour."
        case .labelOutsideClasses(let path, let value, let position, let classes):
            "\(path) holds the label \(short(value)) at \(position), and the \(classes) classes are "
                + "0 to \(classes - 1): "
                + (value == 255
                    ? "a mask of 0 and 255 is read with data.merge_labels: {1: [255]}, and probabilities, which go "
                        + "from 0 to 1, with data.reference_kind: probabilities."
                    : "data.classes (of evaluate: --classes) is to be 1 more than the greatest label, or data.merge_labels to say what class it is.")
        case .labelNotMerged(let path, let label, let position, let sources):
            "\(path) holds the label \(label) at \(position), which merge_labels does not name, while it makes "
                + "\(listed(sources.map(String.init))) class \(label): write "
                + "\(LabelMerging.list(label, [label] + sources)) to merge them, or name \(label) in the list of "
                + "another class."
        case .notWritten(let path, let reason):
            "\(path) could not be written: \(reason)."
        }
    }

    /// What can be done about a type that is not read, as the end of a sentence.
    private static func remedy(for datatype: String) -> String {
        if datatype.hasPrefix("RGB") {
            return ": a colour is no intensity, so save one channel or their mean as a volume of numbers."
        }
        if datatype.hasPrefix("complex") { return ": save the magnitude as a volume of its own." }
        return ": save it anew as one of these."
    }
}
