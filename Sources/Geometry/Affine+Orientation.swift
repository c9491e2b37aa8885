extension Affine {
    /// For each voxel axis (x, y, z) the letter of its direction in the body: to the Right or Left, to
    /// Anterior or Posterior, to Superior or Inferior; "?" for one that has none, since the map is singular.
    ///
    /// The same letters as nibabel's `aff2axcodes` gives, but where the map is singular and rounding chooses:
    /// zoom and shear are taken off, then each axis, the one nearest to a world axis first, takes what is
    /// nearest of the world axes that are left.
    public var orientation: String {
        var rotation = self.rotation
        func strength(_ axis: Int) -> Double { (0..<3).map { abs(rotation[axis][$0]) }.max() ?? 0 }
        let order = [0, 1, 2].map { (axis: $0, strength: strength($0)) }
            .sorted { ($1.strength, $0.axis) < ($0.strength, $1.axis) }
        var letters = ["?", "?", "?"]
        for (axis, _) in order where strength(axis) > 1e-8 {
            let world = (0..<3).first { abs(rotation[axis][$0]) == strength(axis) } ?? 0
            letters[axis] = Self.letters[world][rotation[axis][world] < 0 ? 0 : 1]
            for other in 0..<3 { rotation[other][world] = 0 }
        }
        return letters.joined()
    }

    /// By world axis: against it and along it.
    private static let letters = [["L", "R"], ["P", "A"], ["I", "S"]]

    /// The columns without zoom and shear: the orthogonal matrix nearest to the columns of length 1 (the
    /// polar decomposition). Where that is singular, what it maps to nothing is left out; all is 0 where it
    /// is not finite.
    private var rotation: [SIMD3<Double>] {
        var u = columns.map { column in
            let length = (column * column).sum().squareRoot()
            return length > 0 ? column / length : column
        }
        guard u.allSatisfy({ $0.sum().isFinite }) else { return [.zero, .zero, .zero] }
        // One-sided Jacobi: turns pairs of columns until they are orthogonal, so that their lengths are the
        // singular values.
        var v: [SIMD3<Double>] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
        for _ in 0..<60 {
            var isOrthogonal = true
            for (p, q) in [(0, 1), (0, 2), (1, 2)] {
                let (pp, qq, pq) = ((u[p] * u[p]).sum(), (u[q] * u[q]).sum(), (u[p] * u[q]).sum())
                guard abs(pq) > 1e-16 * (pp * qq).squareRoot(), pq != 0 else { continue }
                isOrthogonal = false
                let cotangent = (qq - pp) / (2 * pq)
                let tangent =
                    (cotangent < 0 ? -1 : 1) / (abs(cotangent) + (1 + cotangent * cotangent).squareRoot())
                let cosine = 1 / (1 + tangent * tangent).squareRoot()
                let sine = cosine * tangent
                (u[p], u[q]) = (cosine * u[p] - sine * u[q], sine * u[p] + cosine * u[q])
                (v[p], v[q]) = (cosine * v[p] - sine * v[q], sine * v[p] + cosine * v[q])
            }
            if isOrthogonal { break }
        }
        let singular = u.map { ($0 * $0).sum().squareRoot() }
        let least = (singular.max() ?? 0) * 3 * .ulpOfOne
        return (0..<3).map { axis in
            (0..<3).reduce(SIMD3.zero) { sum, index in
                singular[index] > least ? sum + u[index] * (v[index][axis] / singular[index]) : sum
            }
        }
    }
}
