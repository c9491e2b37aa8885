import Crypto
import Foundation
import Sampling

/// What the header of a segmentation says of how it was made: the program, the step and a digest of the checkpoint, and a
/// digest of which files were read, their sizes and the times when they were last changed. Where a volume that is there says
/// the same, computing it again would give it again.
///
/// ```
/// dicerank 0.1.0 step 300 network 0123456789ab images 0123456789ab
/// ```
public struct SegmentationMark: Equatable, Sendable {
    public let text: String

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
        text =
            "\(VolumeHeader.mark) \(version) step \(step) network \(network.prefix(12)) "
            + "images \(SHA256.digest(of: files).prefix(12))"
    }

    /// Whether a file is a whole volume of this mark on this grid.
    public func isFound(at path: String, on grid: VolumeGeometry) -> Bool {
        guard FileManager.default.fileExists(atPath: path),
            let header = try? VolumeHeader(reading: path), header.description == text,
            header.geometry.difference(from: grid) == nil
        else { return false }
        return (try? VolumeHeader(readingThrough: path)) != nil
    }
}
