import Foundation

/// The two names of a volume that is stored as a pair: `a.hdr` and `a.img`, or both with `.gz`.
struct NIfTINames {
    /// The file that holds the header, where the path given is that of the image.
    let header: String

    init(_ path: String) {
        let other = NIfTINames.replacing("img", by: "hdr", in: path)
        header = other.flatMap(NIfTINames.existing) ?? other ?? path
    }

    /// The file that holds the voxels of a header that says that they lie elsewhere.
    /// - Parameter path: what the user named, for messages.
    /// - Throws: `NIfTIError`.
    func image(_ path: String) throws(NIfTIError) -> String {
        guard let image = NIfTINames.replacing("hdr", by: "img", in: header) else {
            throw .header(
                path: path,
                fault: "it says that the voxels lie in a file .img, and its name does not end in .hdr")
        }
        guard let found = NIfTINames.existing(image) else {
            throw .otherHalfMissing(path: path, missing: image)
        }
        return found
    }

    /// Whether a file is the header's half of a pair by its name.
    static func isHeader(_ path: String) -> Bool { replacing("hdr", by: "img", in: path) != nil }

    /// A path that ends in `.old` or `.old.gz`, with the other ending; nil for other paths.
    private static func replacing(_ old: String, by new: String, in path: String) -> String? {
        for (old, new) in [(old, new), (old.uppercased(), new.uppercased())] {
            for compression in ["", ".gz"] where path.hasSuffix("." + old + compression) {
                return path.dropLast(old.count + compression.count) + new + compression
            }
        }
        return nil
    }

    /// The file itself, or the one that is compressed where it is not, or the other way round.
    private static func existing(_ path: String) -> String? {
        let other = path.hasSuffix(".gz") ? String(path.dropLast(3)) : path + ".gz"
        return [path, other].first { FileManager.default.fileExists(atPath: $0) }
    }
}
