/// Reads a subject's files into one grid of normalised images and class indices.
public struct SubjectReader: Sendable {
    public var normalisation: IntensityNormalisation
    /// Classes of the reference, 2 to 256.
    public var classes: Int
    public var merging: LabelMerging
    public var referenceKind: ReferenceKind
    /// The plane that is to lie across depth, by each subject's own orientation.
    public var slices: SlicePlane

    public init(
        normalisation: IntensityNormalisation = .zscore, classes: Int = 2,
        merging: LabelMerging = LabelMerging(),
        referenceKind: ReferenceKind = .labels, slices: SlicePlane = .stored
    ) {
        precondition((2...256).contains(classes), "\(classes) classes in a byte")
        self.normalisation = normalisation
        self.classes = classes
        self.merging = merging
        self.referenceKind = referenceKind
        self.slices = slices
    }

    /// Reads all files of a subject; the reference only where `files` names one.
    ///
    /// Images, mask and reference must lie on the grid of the first image. Besides the result, a mask takes
    /// one byte a voxel while the images are read, and another order of the axes as much as the images again.
    ///
    /// - Throws: `NIfTIError` or `SubjectError`.
    public func read(_ files: SubjectFiles) throws -> Subject {
        let opened = try open(files)
        let (inputs, referenceInput, grid) = (opened.images, opened.reference, opened.grid)
        let voxels = grid.extent.count

        var mask: [Bool]?
        if let input = opened.mask {
            mask = try [Bool](unsafeUninitializedCapacity: voxels) { buffer, count in
                let inside = try input.readMask(into: buffer)
                if inside == 0 { throw SubjectError.emptyMask(subject: files.subject, path: input.path) }
                count = voxels
            }
        }
        let images = try [Float](unsafeUninitializedCapacity: voxels * inputs.count) { buffer, count in
            for (channel, input) in inputs.enumerated() {
                let image = UnsafeMutableBufferPointer(
                    rebasing: buffer[channel * voxels..<(channel + 1) * voxels])
                try input.readFloats(into: image)
                guard normalisation == .zscore else { continue }
                guard let statistics = IntensityStatistics(of: image, mask: mask) else {
                    throw SubjectError.nothingToNormaliseBy(subject: files.subject, path: input.path)
                }
                if statistics.isConstant {
                    throw SubjectError.constantImage(
                        subject: files.subject, path: input.path, value: statistics.mean,
                        isMasked: mask != nil)
                }
                statistics.standardise(image)
            }
            count = buffer.count
        }
        let soft =
            try referenceKind == .labels
            ? nil : referenceInput.map { try SoftReference(reading: $0, classes: classes) }
        let reference =
            try soft?.labels
            ?? referenceInput.map(labels)
        let order = grid.order(slicing: slices)
        return Subject(
            name: files.subject, geometry: grid, channels: inputs.count,
            images: order.reordered(images, stored: grid.extent),
            reference: reference.map { order.reordered($0, stored: grid.extent) },
            probabilities: soft.map { order.reordered($0.probabilities, stored: grid.extent) }, order: order)
    }

    /// The class indices of a file.
    func labels(of input: NIfTIInput) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: input.geometry.extent.count) { buffer, count in
            try input.readLabels(into: buffer, classes: classes, merging: merging)
            count = buffer.count
        }
    }
}

/// How intensities of scanners that share no unit are made comparable.
public enum IntensityNormalisation: String, Sendable, CaseIterable {
    /// `(v - mean) / deviation` of the voxels inside the mask (the paper: of the white matter), or without a
    /// mask of the voxels that are not 0. The map is applied to all voxels.
    case zscore
    /// Intensities stay as they are in the file.
    case none
}

/// Mean and deviation of an image inside a mask; two passes in double.
struct IntensityStatistics {
    let mean: Double
    /// Square root of the mean squared distance from the mean.
    let deviation: Double
    let isConstant: Bool

    /// - Parameter mask: without one, the voxels that are not 0 count.
    /// - Returns: nil where no voxel counts.
    init?(of image: UnsafeMutableBufferPointer<Float>, mask: [Bool]?) {
        var count = 0
        var sum = 0.0
        var least = Float.infinity
        var greatest = -Float.infinity
        func forEach(_ body: (Float) -> Void) {
            if let mask {
                mask.withUnsafeBufferPointer { inside in
                    for i in 0..<image.count where inside[i] { body(image[i]) }
                }
            } else {
                for value in image where value != 0 { body(value) }
            }
        }
        forEach { value in
            count += 1
            sum += Double(value)
            least = min(least, value)
            greatest = max(greatest, value)
        }
        guard count > 0 else { return nil }
        let mean = sum / Double(count)
        var squares = 0.0
        forEach { value in
            let distance = Double(value) - mean
            squares += distance * distance
        }
        self.mean = mean
        deviation = (squares / Double(count)).squareRoot()
        isConstant = least == greatest
    }

    func standardise(_ image: UnsafeMutableBufferPointer<Float>) {
        let scale = 1 / deviation
        for i in 0..<image.count {
            image[i] = Float((Double(image[i]) - mean) * scale)
        }
    }
}
