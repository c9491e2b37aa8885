/// Slices of a held-out subject: the image, the reference and what each loss makes of it.
public struct SliceComparison: Sendable {
    /// One slice: rows from the top, the patient's front up and right side on the left where the image says
    /// where they are.
    public struct Slice: Sendable {
        /// Pixels of a row.
        public let width: Int
        /// Rows.
        public let height: Int
        /// A pixel's height over its width.
        public let aspect: Double
        /// `width * height` shades, 0 black.
        public let grey: [UInt8]
        /// `width * height` pixels of the reference, true for foreground.
        public let reference: [Bool]
        /// The foreground that each loss has led to, in the order of the losses.
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

    /// What the network that was trained with one loss makes of the slice.
    public struct Prediction: Sendable {
        /// The loss as the runs name it, or the name of a variant of it.
        public let loss: String
        /// `width * height` pixels, true for foreground.
        public let mask: [Bool]
        /// The DSC of the foreground of the whole volume, 0...1.
        public let dice: Double

        public init(loss: String, mask: [Bool], dice: Double) {
            (self.loss, self.mask, self.dice) = (loss, mask, dice)
        }
    }

    /// The held-out subject's name in its list.
    public let subject: String
    /// What was run, as in "Trained: HighRes3DNet, learning rate 1e-4".
    public let setting: String
    /// The image's modality.
    public let modality: String
    /// The slice that all predictions are shown on.
    public let slice: Slice

    public init(subject: String, setting: String, modality: String, slice: Slice) {
        (self.subject, self.setting, self.modality, self.slice) = (subject, setting, modality, slice)
    }
}
