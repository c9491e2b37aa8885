/// A volume of real numbers, an image or a probability map.
public struct Volume: Sendable {
    public let geometry: VolumeGeometry
    /// [z][y][x], x fastest: the order of the file.
    public var voxels: [Float]

    public init(geometry: VolumeGeometry, voxels: [Float]) {
        precondition(
            voxels.count == geometry.extent.count,
            "\(voxels.count) voxels for a volume of \(geometry.extent.xyz)"
        )
        self.geometry = geometry
        self.voxels = voxels
    }

    /// Reads a NIfTI-1 or NIfTI-2 file, `.nii`, `.nii.gz` or a pair `.hdr` and `.img`.
    ///
    /// Integers and floats of 8 to 64 bits are taken in either byte order; `scl_slope` and `scl_inter` are
    /// applied unless the slope is 0. Trailing dimensions of length 1 are accepted.
    ///
    /// - Throws: `NIfTIError`, also where a voxel is NaN or infinite.
    public init(reading path: String) throws {
        let file = try NIfTIInput(path: path)
        geometry = file.geometry
        voxels = try [Float](unsafeUninitializedCapacity: file.geometry.extent.count) { buffer, count in
            try file.readFloats(into: buffer)
            count = buffer.count
        }
    }

    /// How numbers are stored in a file.
    public enum Storage: Sendable {
        case float32
        /// Rounded to the nearest integer; values outside -32768...32767 are clamped.
        case int16
    }

    /// Writes a NIfTI file with this volume's geometry; compressed if the name ends in `.gz`.
    ///
    /// The file appears under its name only when it is whole and on disk.
    ///
    /// - Parameter description: the header's, of at most ``VolumeHeader/longestDescription`` bytes.
    /// - Throws: `NIfTIError.notWritten`.
    public func write(
        to path: String, storage: Storage = .float32, description: String = VolumeHeader.mark
    ) throws {
        switch storage {
        case .float32:
            try NIfTIOutput.write(
                voxels, geometry: geometry, datatype: .float32, description: description, to: path)
        case .int16:
            let rounded = voxels.map { Int16(min(max($0.rounded(), -32768), 32767)) }
            try NIfTIOutput.write(
                rounded, geometry: geometry, datatype: .int16, description: description, to: path)
        }
    }
}

/// A volume of class indices, a reference or a prediction.
public struct LabelMap: Sendable {
    public let geometry: VolumeGeometry
    /// [z][y][x], x fastest: the order of the file.
    public var labels: [UInt8]

    public init(geometry: VolumeGeometry, labels: [UInt8]) {
        precondition(
            labels.count == geometry.extent.count,
            "\(labels.count) labels for a volume of \(geometry.extent.xyz)"
        )
        self.geometry = geometry
        self.labels = labels
    }

    /// Reads a file of integers, whatever its datatype.
    ///
    /// - Parameters:
    ///   - classes: labels must be in `0..<classes` after merging; 2 to 256.
    ///   - merging: applied before that check.
    /// - Throws: `NIfTIError`.
    public init(reading path: String, classes: Int, merging: LabelMerging = LabelMerging()) throws {
        let file = try NIfTIInput(path: path)
        geometry = file.geometry
        labels = try [UInt8](unsafeUninitializedCapacity: file.geometry.extent.count) { buffer, count in
            try file.readLabels(into: buffer, classes: classes, merging: merging)
            count = buffer.count
        }
    }

    /// Reads a file of probabilities: a volume a class, the background's first, or, of two classes, the
    /// foreground's. A voxel is foreground where that has a half or more.
    ///
    /// - Throws: `NIfTIError`.
    public init(readingProbabilities path: String, classes: Int) throws {
        let file = try NIfTIInput(path: path, allowsSeries: true)
        geometry = file.geometry
        labels = try SoftReference(reading: file, classes: classes).labels
    }

    /// Writes unsigned bytes with this map's geometry; compressed if the name ends in `.gz`.
    ///
    /// The file appears under its name only when it is whole and on disk.
    ///
    /// - Parameter description: the header's, of at most ``VolumeHeader/longestDescription`` bytes.
    /// - Throws: `NIfTIError.notWritten`.
    public func write(to path: String, description: String = VolumeHeader.mark) throws {
        try NIfTIOutput.write(
            labels, geometry: geometry, datatype: .uint8, description: description, to: path)
    }
}
