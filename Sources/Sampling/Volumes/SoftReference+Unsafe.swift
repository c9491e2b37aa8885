import Geometry

/// A reference of probabilities, such as the mean of several raters.
struct SoftReference {
    let voxels: Int
    /// Of the classes above 0, [class][z][y][x], in 0...1; the background's are what is left to 1.
    let probabilities: [Float]

    /// Reads a volume a class, the background's first, or, of two classes, the foreground's alone.
    /// - Throws: `NIfTIError`, also where probabilities are outside of 0...1 by more than 0.001, or add up to
    ///   1 to no better than 0.01.
    init(reading file: NIfTIInput, classes: Int) throws {
        let voxels = file.geometry.extent.count
        try Self.checkVolumes(file, classes: classes)
        let values = try [Float](unsafeUninitializedCapacity: file.volumes * voxels) { buffer, count in
            try file.readFloats(into: buffer)
            count = buffer.count
        }
        if let offset = values.firstIndex(where: { !(-0.001...1.001).contains($0) }) {
            throw NIfTIError.probabilityOutside(
                path: file.path, value: Double(values[offset]),
                position: VoxelIndex(offset: offset % voxels, in: file.geometry.extent))
        }
        if file.volumes == classes {
            for voxel in 0..<voxels {
                let sum = stride(from: voxel, to: values.count, by: voxels).reduce(0) {
                    $0 + Double(values[$1])
                }
                guard abs(sum - 1) <= 0.01 else {
                    throw NIfTIError.probabilitySum(
                        path: file.path, sum: sum,
                        position: VoxelIndex(offset: voxel, in: file.geometry.extent))
                }
            }
        }
        self.voxels = voxels
        probabilities = values.suffix((classes - 1) * voxels).map { min(max($0, 0), 1) }
    }

    /// - Throws: `NIfTIError.volumes` where a file has another number of volumes than it takes for the
    ///   classes.
    static func checkVolumes(_ file: NIfTIInput, classes: Int) throws {
        guard file.volumes == classes || (file.volumes == 1 && classes == 2) else {
            throw NIfTIError.volumes(path: file.path, shape: file.shape, classes: classes)
        }
    }

    /// The most probable class above 0 where these have a half or more together, else 0; [z][y][x].
    var labels: [UInt8] {
        (0..<voxels).map { voxel in
            var (sum, best, label) = (Float(0), Float(-1), 0)
            for (index, offset) in stride(from: voxel, to: probabilities.count, by: voxels).enumerated() {
                sum += probabilities[offset]
                if probabilities[offset] > best { (best, label) = (probabilities[offset], index + 1) }
            }
            return sum >= 0.5 ? UInt8(label) : 0
        }
    }
}

/// What a reference's file holds.
public enum ReferenceKind: String, Sendable, CaseIterable {
    /// A class a voxel.
    case labels
    /// Probabilities of the classes: a volume each, or, of two classes, the foreground's.
    case probabilities
}
