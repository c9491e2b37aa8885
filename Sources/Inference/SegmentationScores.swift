/// Agreement of a predicted with a reference segmentation, of one class of one subject.
///
/// With `TP` the voxels that both assign to the class, `P` those of the prediction and `R` those of the
/// reference. A ratio without a denominator is undefined (nil), an empty field in files and left out of
/// medians; only the DSC has a value then, because two empty segmentations agree:
///
/// | | both empty | reference empty | prediction empty |
/// |---|---|---|---|
/// | DSC | 1 | 0 | 0 |
/// | sensitivity | undefined | undefined | 0 |
/// | precision | undefined | 0 | undefined |
/// | volume difference | undefined | undefined | -1 |
/// | volume difference in ml | 0 | P | -R |
public struct SegmentationScores: Sendable, Equatable {
    /// `TP`, in voxels.
    public let shared: Int
    /// `P`, in voxels.
    public let prediction: Int
    /// `R`, in voxels.
    public let reference: Int
    /// Volume of a voxel in cubic millimetres.
    public let voxelVolume: Double

    /// - Parameters:
    ///   - shared: voxels that both assign to the class, at most the fewer of the next two.
    ///   - prediction: voxels of the prediction.
    ///   - reference: voxels of the reference.
    ///   - voxelVolume: cubic millimetres of a voxel.
    public init(shared: Int, prediction: Int, reference: Int, voxelVolume: Double) {
        precondition(
            (0...min(prediction, reference)).contains(shared),
            "\(shared) shared voxels of \(prediction) predicted and \(reference) in the reference")
        self.shared = shared
        self.prediction = prediction
        self.reference = reference
        self.voxelVolume = voxelVolume
    }

    /// Dice score coefficient, `2 TP / (P + R)`, 0...1.
    public var dice: Double {
        prediction + reference == 0 ? 1 : 2 * Double(shared) / Double(prediction + reference)
    }

    /// `TP / R`, 0...1.
    public var sensitivity: Double? { reference == 0 ? nil : Double(shared) / Double(reference) }

    /// `TP / P`, 0...1.
    public var precision: Double? { prediction == 0 ? nil : Double(shared) / Double(prediction) }

    /// `(P - R) / R`; positive where the prediction is too large.
    public var volumeDifference: Double? {
        reference == 0 ? nil : Double(prediction - reference) / Double(reference)
    }

    /// `P - R` in millilitres.
    public var volumeDifferenceMillilitres: Double { Double(prediction - reference) * voxelVolume / 1000 }

    /// `P` in millilitres.
    public var predictionMillilitres: Double { Double(prediction) * voxelVolume / 1000 }

    /// `R` in millilitres.
    public var referenceMillilitres: Double { Double(reference) * voxelVolume / 1000 }

    /// Scores of every class but the background.
    /// - Parameters:
    ///   - prediction: class of each voxel, below `classes`.
    ///   - reference: likewise, of the same voxels.
    ///   - classes: background included.
    ///   - voxelVolume: in cubic millimetres.
    /// - Returns: class 1 first; with more than two classes the whole foreground (any class but 0) last.
    public static func ofClasses(
        prediction: [UInt8], reference: [UInt8], classes: Int, voxelVolume: Double
    ) -> [SegmentationScores] {
        precondition(
            prediction.count == reference.count,
            "\(prediction.count) predicted voxels, \(reference.count) in the reference")
        var counts = [(shared: Int, prediction: Int, reference: Int)](
            repeating: (0, 0, 0), count: classes + 1)
        for (predicted, expected) in zip(prediction, reference) {
            let predicted = Int(predicted)
            let expected = Int(expected)
            precondition(
                predicted < classes && expected < classes,
                "classes \(predicted) and \(expected) must be below \(classes)")
            guard predicted != 0 || expected != 0 else { continue }
            counts[predicted].prediction += 1
            counts[expected].reference += 1
            if predicted == expected { counts[predicted].shared += 1 }
            if predicted != 0 { counts[classes].prediction += 1 }
            if expected != 0 { counts[classes].reference += 1 }
            if predicted != 0, expected != 0 { counts[classes].shared += 1 }
        }
        return counts[1..<(classes > 2 ? classes + 1 : classes)].map {
            SegmentationScores(
                shared: $0.shared, prediction: $0.prediction, reference: $0.reference,
                voxelVolume: voxelVolume)
        }
    }
}
