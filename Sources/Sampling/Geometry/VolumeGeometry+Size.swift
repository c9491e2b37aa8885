import Geometry

extension VolumeGeometry {
    /// Millimetres in the unit of length that `xyzt_units` names; a file that names none means millimetres.
    var unitMillimetres: Double {
        switch units & 7 {
        case 1: 1000
        case 3: 0.001
        default: 1
        }
    }

    /// Voxel (x, y, z) to world (right, anterior, superior) in millimetres.
    public var affineMillimetres: Affine { affine.scaled(by: unitMillimetres) }

    /// Distance of neighbouring voxels along x, y and z in millimetres, by the transform: what size is
    /// printed, compared and drawn.
    public var voxelMillimetres: SIMD3<Double> { affineMillimetres.columnLengths }

    /// Volume of a voxel in cubic millimetres: the determinant of the transform. All volumes are multiples of
    /// it.
    public var voxelCubicMillimetres: Double { abs(affineMillimetres.determinant) }

    /// The header's `pixdim` along x, y and z in millimetres. Where there is a transform, nothing is computed
    /// from it.
    public var pixdimMillimetres: SIMD3<Double> { spacing * unitMillimetres }

    /// Whether the header says where the voxels lie. Without, orientation is an assumption and size that of
    /// `pixdim`.
    public var hasTransform: Bool { sformCode > 0 || qformCode > 0 }
}

/// "1 x 1 x 2 mm", to three significant digits.
public func millimetres(_ lengths: SIMD3<Double>) -> String {
    (0..<3).map { brief(lengths[$0]) }.joined(separator: " x ") + " mm"
}
