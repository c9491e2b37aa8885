import Geometry

/// The plane of the slices that a network of two dimensions sees.
public enum SlicePlane: String, Sendable, CaseIterable {
    /// Slices follow each other from foot to head.
    case axial
    /// Slices follow each other from back to front.
    case coronal
    /// Slices follow each other from left to right.
    case sagittal
    /// As the file has them: slices follow each other along its slowest axis.
    case stored

    /// The world axis across the plane: 0 to the right, 1 to anterior, 2 to superior.
    fileprivate var normal: Int? {
        switch self {
        case .axial: 2
        case .coronal: 1
        case .sagittal: 0
        case .stored: nil
        }
    }
}

extension VolumeGeometry {
    /// The order of the axes in which the slices of a plane follow each other along depth. An oblique volume
    /// is cut along the axes of its grid, by the ones nearest to the plane's.
    public func order(slicing plane: SlicePlane) -> AxisOrder { affine.order(slicing: plane) }
}

extension Affine {
    func order(slicing plane: SlicePlane) -> AxisOrder {
        guard let normal = plane.normal else { return .stored }
        // Arrays count axes from the slowest, transforms from the fastest.
        return AxisOrder(front: 2 - nearestAxes[normal])
    }

    /// For each world axis (right, anterior, superior) the voxel axis (x, y, z) that is nearest to it: each
    /// voxel axis for one of them, so that the sum of the cosines is largest. In case of doubt x is right, y
    /// anterior.
    public var nearestAxes: [Int] {
        var best = [0, 1, 2]
        for other in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
        where closeness(other) > closeness(best) + 1e-6 {
            best = other
        }
        return best
    }

    private func closeness(_ axes: [Int]) -> Double {
        axes.enumerated().reduce(0) { sum, pair in
            let column = SIMD3(rows[0][pair.element], rows[1][pair.element], rows[2][pair.element])
            let length = (column * column).sum().squareRoot()
            return length > 0 ? sum + abs(column[pair.offset]) / length : sum
        }
    }
}
