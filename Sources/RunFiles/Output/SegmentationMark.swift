import Crypto
import Foundation
import Sampling

/// What the header of a segmentation says of how it was made: the program, the step and a digest of the
/// checkpoint, a digest of which files were read, their sizes and the times when they were last changed, and
/// one of the voxels. Where a volume that is there says the same, computing it again would give it again;
/// where its voxels are not those of which it speaks, somebody has worked on it since.
///
/// ```
/// dicerank 0.1.0 step 300 network 01234567 images 0123456 voxels 012345
/// ```
public struct SegmentationMark: Equatable, Sendable {
    /// All of it but the voxels.
    private let origin: String

    /// - Parameters:
    ///   - version: of the program.
    ///   - network: the checkpoint's digest.
    ///   - paths: of the images and the mask, in the order in which they are read.
    public init(version: String, step: Int, network: String, paths: [String]) {
        let files = paths.map { path in
            var status = stat()
            guard stat(path, &status) == 0 else { return "nothing" }
            let place = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            return "\(place) \(status.st_size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)"
        }
        origin =
            "\(VolumeHeader.mark) \(version) step \(step) network \(network.prefix(8)) "
            + "images \(SHA256.digest(of: files).prefix(7))"
    }

    /// The description of a volume of these voxels.
    public func text(_ voxels: VoxelDigest) -> String { origin + Self.separator + voxels.description }

    /// Whether a file is a whole volume of this mark on this grid.
    public func isFound(at path: String, on grid: VolumeGeometry) -> Bool {
        guard FileManager.default.fileExists(atPath: path), let header = try? VolumeHeader(reading: path),
            header.description.hasPrefix(origin + Self.separator),
            header.geometry.difference(from: grid) == nil,
            let read = try? VolumeHeader.readingThrough(path)
        else { return false }
        return read.header.description == text(read.voxels)
    }

    /// Whether a file's header speaks of how a segmentation was made.
    public static func isSegmentation(at path: String) -> Bool {
        guard let header = try? VolumeHeader(reading: path) else { return false }
        return header.description.hasPrefix(VolumeHeader.mark + " ") && header.description.contains(separator)
    }

    /// Whether a segmentation can be read to its end and does not hold the voxels of which its header speaks.
    /// One that is cut was left behind by a program that was killed.
    public static func isEdited(at path: String) -> Bool {
        guard isSegmentation(at: path), let read = try? VolumeHeader.readingThrough(path) else {
            return false
        }
        return !read.header.description.hasSuffix(separator + read.voxels.description)
    }

    private static let separator = " voxels "
}
