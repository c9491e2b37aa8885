/// Slices of a held-out subject: the image, the reference and what each loss makes of it.
public struct SliceComparison: Sendable {
    /// One slice: rows from the top, the patient's front up and right side on the left where the image says where they are.
    public struct Slice: Sendable {
        public let width: Int
        public let height: Int
        /// A pixel's height over its width.
        public let aspect: Double
        /// `width * height` shades, 0 black.
        public let grey: [UInt8]
        /// Foreground.
        public let reference: [Bool]
        /// Foreground by loss.
        public let predictions: [Prediction]

        public init(
            width: Int, height: Int, aspect: Double, grey: [UInt8], reference: [Bool],
            predictions: [Prediction]
        ) {
            precondition(
                grey.count == width * height && reference.count == grey.count
                    && predictions.allSatisfy { $0.mask.count == grey.count },
                "masks that do not fit a slice of \(width) x \(height)")
            (self.width, self.height, self.aspect) = (width, height, aspect)
            (self.grey, self.reference, self.predictions) = (grey, reference, predictions)
        }
    }

    public struct Prediction: Sendable {
        public let loss: String
        public let mask: [Bool]
        /// Of the whole volume.
        public let dice: Double

        public init(loss: String, mask: [Bool], dice: Double) {
            (self.loss, self.mask, self.dice) = (loss, mask, dice)
        }
    }

    public let subject: String
    /// What was run, as in "Trained: HighRes3DNet, learning rate 1e-4".
    public let setting: String
    /// The image's modality.
    public let modality: String
    public let slice: Slice

    public init(subject: String, setting: String, modality: String, slice: Slice) {
        (self.subject, self.setting, self.modality, self.slice) = (subject, setting, modality, slice)
    }
}
