import Geometry

/// Where a volume's voxels lie in space: all that a NIfTI header says about it, kept so that a result can be
/// written on the same grid.
public struct VolumeGeometry: Hashable, Sendable {
    /// Size in voxels.
    public var extent: Size3
    /// The header's `pixdim` along x, y and z, in the units that `units` names; kept to be written again. The
    /// size of a voxel is ``voxelMillimetres``.
    public var spacing: SIMD3<Double>
    /// NIfTI's code of the units of space and time: `xyzt_units`, whose low three bits are 2 for millimetres.
    public var units: Int
    /// NIfTI's code of what the quaternion transform leads to; 0: there is none.
    public var qformCode: Int
    /// Quaternion b, c, d; like its offset kept as the header has it, also where the code is 0.
    public var quaternion: SIMD3<Double>
    /// Offset of the quaternion transform.
    public var quaternionOffset: SIMD3<Double>
    /// 1 or -1: the handedness of the quaternion transform.
    public var qfac: Double
    /// NIfTI's code of what the affine transform leads to; 0: there is none.
    public var sformCode: Int
    /// The header's affine transform.
    public var sform: Affine
    /// The transform of the quaternion; without meaning where the code is 0.
    var qform: Affine
    /// Whether the file was NIfTI-2 (its numbers are doubles and its sizes have 64 bits).
    public var isNIfTI2: Bool

    /// A grid that is aligned with the scanner, x to the right, y to the front, z to the top.
    ///
    /// - Parameters:
    ///   - spacing: along x, y and z in millimetres.
    ///   - origin: the centre of the first voxel in millimetres.
    public init(extent: Size3, spacing: SIMD3<Double>, origin: SIMD3<Double>) {
        self.extent = extent
        self.spacing = spacing
        units = 2
        qformCode = 1
        quaternion = .zero
        quaternionOffset = origin
        qfac = 1
        sformCode = 1
        sform = Affine(spacing: spacing, origin: origin)
        qform = sform
        isNIfTI2 = false
    }

    /// Voxel (x, y, z) to world (right, anterior, superior), as NIfTI tools choose it: the affine transform,
    /// else the quaternion, else the spacing alone, x to the left (as nibabel).
    public var affine: Affine {
        if sformCode > 0 { return sform }
        return qformCode > 0 ? qform : Affine(withoutTransform: spacing, size: extent)
    }

    /// The axes' directions, as in "RAS": to the Right, to Anterior, to Superior.
    public var orientation: String { affine.orientation }

    /// What sets this grid apart from `other`, as the end of a sentence, or nil where they agree.
    ///
    /// Grids agree if their sizes are equal and no corner lies farther than `tolerance` voxels from its
    /// counterpart. Where one of the two has no transform to the world, the sizes of voxels are compared
    /// instead. Units are not: many programs forget to write them.
    public func difference(from other: VolumeGeometry, tolerance: Double = 0.05) -> String? {
        if extent != other.extent {
            return "has \(extent.xyz) voxels and not \(other.extent.xyz)"
        }
        let (lengths, otherLengths) = (affine.columnLengths, other.affine.columnLengths)
        // An axis of one voxel may have no direction.
        let smallest = otherLengths.replacing(with: abs(other.spacing), where: otherLengths .== 0).min()
        guard hasTransform, other.hasTransform else {
            let last = SIMD3(Double(extent.width), Double(extent.height), Double(extent.depth))
            let drift = (lengths - otherLengths) * last
            if abs(drift).max() <= tolerance * smallest { return nil }
            return
                "has a spacing of \(describe(lengths, unitMillimetres)) and not "
                + describe(otherLengths, other.unitMillimetres)
        }
        var farthest = 0.0
        var place = SIMD3<Double>.zero
        for corner in 0..<8 {
            let voxel = SIMD3(
                corner & 1 == 0 ? 0 : Double(extent.width - 1),
                corner & 2 == 0 ? 0 : Double(extent.height - 1),
                corner & 4 == 0 ? 0 : Double(extent.depth - 1))
            let offset = affine(voxel) - other.affine(voxel)
            let distance = (offset * offset).sum().squareRoot()
            if distance > farthest || !distance.isFinite {
                farthest = distance
                place = voxel
            }
        }
        if farthest <= tolerance * smallest { return nil }
        if orientation != other.orientation {
            return "is oriented \(orientation) and not \(other.orientation)"
        }
        return
            "puts voxel (\(Int(place.x)), \(Int(place.y)), \(Int(place.z))) "
            + "\(short(farthest * other.unitMillimetres)) mm away, and "
            + "\(short(tolerance * smallest * other.unitMillimetres)) mm are allowed"
    }
}

private func describe(_ lengths: SIMD3<Double>, _ unit: Double) -> String {
    (0..<3).map { short(lengths[$0] * unit) }.joined(separator: " x ") + " mm"
}

private func abs(_ lengths: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(Swift.abs(lengths.x), Swift.abs(lengths.y), Swift.abs(lengths.z))
}
