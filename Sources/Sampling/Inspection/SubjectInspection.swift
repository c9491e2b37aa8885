import Geometry

/// What a subject is made of.
public struct SubjectInspection: Sendable {
    public let name: String
    public let geometry: VolumeGeometry
    /// In the order in which patches are drawn.
    public let extent: Size3
    /// Voxels of each class.
    public let classVoxels: [Int]
    /// Voxels of each lesion, the largest first; see ``ConnectedComponents``.
    public let lesions: [Int]

    /// - Parameter classes: With the background.
    public init(_ subject: Subject, classes: Int) {
        guard let reference = subject.reference else {
            preconditionFailure("inspecting \(subject.name) without a reference")
        }
        name = subject.name
        geometry = subject.geometry
        extent = subject.extent
        var voxels = [Int](repeating: 0, count: classes)
        for label in reference { voxels[Int(label)] += 1 }
        classVoxels = voxels
        lesions = ConnectedComponents.sizes(of: reference, extent: subject.extent)
    }

    public var foregroundVoxels: Int { classVoxels.dropFirst().reduce(0, +) }
}

/// How imbalanced the patches are that a sampler draws (the last row of Table 1 of Sudre et al. 2017).
public struct PatchInspection: Sendable {
    /// Positions that the sampler can draw in the subject; 0 where it cannot be sampled.
    public let positions: Int
    /// Foreground share of each effective patch drawn, 0 to 1.
    public let shares: [Double]

    /// Draws `draws` patches of a subject, the same ones at every call.
    /// - Parameter number: Of the subject in its list: each has draws of its own.
    public init(
        _ subject: Subject, number: Int, sampler: any PatchSampler, effective: Size3, draws: Int,
        seed: UInt64
    ) {
        guard let reference = subject.reference else {
            preconditionFailure("inspecting \(subject.name) without a reference")
        }
        let positions = sampler.positions(in: reference, extent: subject.extent, effective: effective)
        self.positions = positions.count
        guard positions.count > 0 else {
            shares = []
            return
        }
        var labels = [UInt8](repeating: 0, count: effective.count)
        shares = (0..<draws).map { draw in
            var random = CounterRandom(seed: seed, step: draw, slot: number, stream: .position)
            let box = VoxelBox(origin: positions.draw(&random), size: effective)
            let foreground = labels.withUnsafeMutableBufferPointer { subject.copyReference(in: box, to: $0) }
            return Double(foreground) / Double(effective.count)
        }
    }
}
