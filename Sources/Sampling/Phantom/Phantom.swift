import Foundation
import Geometry

/// A synthetic data set like the paper's second task: FLAIR, T1 and T2 volumes of heads with white matter
/// hyperintensities, with their references and white matter masks.
///
/// Volumes are cubes of `size` voxels and 192 mm, aligned with the scanner (RAS). Heads differ in shape,
/// tilt, folds, ventricles and lesions, scans in gain, bias field and noise. A subject is a pure function of
/// (seed, index, size, foreground): it is the same whichever others are made.
public struct Phantom: Sendable {
    /// Voxels along each axis, 24 to 512.
    public let size: Int
    /// Share of all voxels of a volume that are lesion, at most 0.05. Met to the voxel.
    public let foreground: Double
    public let seed: UInt64

    /// - Throws: `PhantomError` where a value is out of range.
    public init(size: Int = 96, foreground: Double = 0.002, seed: UInt64 = 1) throws(PhantomError) {
        guard (24...512).contains(size) else { throw .size(size) }
        let least = 1 / Double(size * size * size)
        guard foreground >= least, foreground <= 0.05 else { throw .foreground(foreground, least: least) }
        self.size = size
        self.foreground = foreground
        self.seed = seed
    }

    /// Edge of a voxel in millimetres.
    public var spacing: Double { 192 / Double(size) }

    /// One synthetic subject.
    public struct Subject: Sendable {
        public let name: String
        public let flair: Volume
        public let t1: Volume
        public let t2: Volume
        /// 1 in white matter hyperintensities.
        public let lesion: LabelMap
        /// 1 where at least half of the voxel is white matter, lesions included.
        public let whiteMatter: LabelMap
    }

    /// Makes a subject, counted from 0.
    ///
    /// - Throws: `PhantomError.tooLittleWhiteMatter` where half of the white matter does not hold the
    ///   lesions.
    public func subject(_ index: Int) throws(PhantomError) -> Subject {
        precondition(index >= 0, "subject \(index)")
        func random(_ purpose: Int) -> CounterRandom {
            CounterRandom(seed: seed, step: index, slot: purpose, stream: .phantom)
        }
        var anatomy = random(0)
        let shape = HeadShape(random: &anatomy)
        let extent = Size3(cube: size)
        let edge = Float(spacing)
        let centre = Float(size - 1) / 2

        var signals = Contrast.allCases.map { _ in [Float](repeating: 0, count: extent.count) }
        var white = [Float](repeating: 0, count: extent.count)
        var candidates: [Lesions.Candidate] = []
        func place(_ offset: Int) -> SIMD3<Float> {
            let v = VoxelIndex(offset: offset, in: extent)
            return (SIMD3(Float(v.x), Float(v.y), Float(v.z)) - centre) * edge
        }
        for offset in 0..<extent.count {
            let p = shape.headCoordinates(place(offset))
            let sample = shape.sample(p, voxel: edge)
            for (i, contrast) in Contrast.allCases.enumerated() {
                signals[i][offset] = (sample.shares * contrast.tissues).sum()
            }
            white[offset] = sample.shares[Tissue.white.rawValue]
            if white[offset] >= 0.5, sample.whiteDepth > 0 {
                candidates.append(
                    Lesions.Candidate(
                        offset: offset, place: p, ventricleDistance: sample.ventricleDistance,
                        whiteDepth: sample.whiteDepth))
            }
        }

        var disease = random(1)
        let count = max(1, Int((foreground * Double(extent.count)).rounded()))
        guard count * 2 <= candidates.count else {
            throw .tooLittleWhiteMatter(lesionVoxels: count, whiteMatterVoxels: candidates.count, size: size)
        }
        let lesions = Lesions(count: count, candidates: candidates, voxel: edge, random: &disease)
        for (offset, share) in lesions.shares {
            for (i, contrast) in Contrast.allCases.enumerated() {
                let step = contrast.lesion - contrast.tissues[Tissue.white.rawValue]
                signals[i][offset] += share * white[offset] * step
            }
        }

        let offset = SIMD3(repeating: -Double(centre) * spacing)
        let table = SIMD3(
            anatomy.uniform(in: -4...4), anatomy.uniform(in: -12...12), anatomy.uniform(in: -20...20))
        let geometry = VolumeGeometry(
            extent: extent, spacing: SIMD3(repeating: spacing), origin: offset + table)
        let images = Contrast.allCases.enumerated().map { i, contrast in
            var scanner = PhantomScanner(random: random(2 + i))
            return Volume(
                geometry: geometry,
                voxels: (0..<extent.count).map { scanner.read(signals[i][$0], at: place($0)) })
        }
        var labels = [UInt8](repeating: 0, count: extent.count)
        for voxel in lesions.voxels { labels[voxel] = 1 }
        return Subject(
            name: "phantom-" + String(format: "%03d", index + 1), flair: images[0], t1: images[1],
            t2: images[2],
            lesion: LabelMap(geometry: geometry, labels: labels),
            whiteMatter: LabelMap(geometry: geometry, labels: white.map { $0 >= 0.5 ? 1 : 0 }))
    }
}

/// Why a phantom cannot be made.
public enum PhantomError: Error, Hashable, Sendable, CustomStringConvertible {
    case size(Int)
    case foreground(Double, least: Double)
    case tooLittleWhiteMatter(lesionVoxels: Int, whiteMatterVoxels: Int, size: Int)
    case noFolder(path: String, reason: String)

    public var description: String {
        switch self {
        case .size(let size):
            "A phantom of \(size) voxels along each axis cannot be made; 24 to 512 are possible."
        case .foreground(let foreground, let least):
            "A phantom with a foreground of \(short(foreground)) cannot be made; at this size "
                + "\(short(least)) (one voxel) to 0.05 are possible."
        case .tooLittleWhiteMatter(let lesionVoxels, let whiteMatterVoxels, let size):
            "A phantom of \(size) voxels along each axis has \(counted(whiteMatterVoxels, "voxel")) of white matter, "
                + "too few for \(counted(lesionVoxels, "voxel")) of lesions: ask for a lower foreground."
        case .noFolder(let path, let reason):
            "The folder \(path) cannot be made: \(reason)."
        }
    }
}
