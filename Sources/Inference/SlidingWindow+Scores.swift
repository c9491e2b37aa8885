import Engine
import Geometry
import Sampling

extension SlidingWindow {
    /// Segments a subject and compares the result with its reference.
    /// - Parameters:
    ///   - subject: Read with its reference, whose classes are those of the network.
    ///   - progress: As in ``labels(images:size:progress:)``.
    /// - Returns: As ``SegmentationScores/ofClasses(prediction:reference:classes:voxelVolume:)``.
    public func scores(
        of subject: Subject, progress: (Progress) throws -> Void = { _ in }
    ) throws -> [SegmentationScores] {
        guard let reference = subject.reference else {
            preconditionFailure("subject \(subject.name) was read without its reference")
        }
        let extent = subject.extent
        let prediction = try labels(
            images: subject.images, size: extent, progress: progress
        )
        return SegmentationScores.ofClasses(
            prediction: prediction, reference: reference, classes: classes,
            voxelVolume: subject.geometry.voxelCubicMillimetres)
    }

    /// Classes of the network, background included.
    public var classes: Int { graph.output.map(graph.channels(of:)) ?? 0 }
}
