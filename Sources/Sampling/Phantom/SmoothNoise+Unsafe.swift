/// A smooth random field with mean 0 and deviation about 1: normal values on a lattice, joined by quadratic
/// B-splines.
struct SmoothNoise {
    /// Covers the cube from `-reach` to `reach` millimetres.
    private let reach: Float
    /// Distance of lattice points in millimetres; details are about twice as large.
    private let cell: Float
    private let side: Int
    private let lattice: [Float]

    init(cell: Float, reach: Float = 140, random: inout CounterRandom) {
        self.cell = cell
        self.reach = reach
        side = Int(2 * reach / cell) + 4
        // Quadratic B-splines of independent values have a deviation of 0.41 on average.
        lattice = (0..<side * side * side).map { _ in Float(random.normal() / 0.41) }
    }

    func callAsFunction(_ point: SIMD3<Float>) -> Float {
        let place =
            (point.clamped(lowerBound: SIMD3(repeating: -reach), upperBound: SIMD3(repeating: reach)) + reach)
            / cell + 1
        let nearest = place.rounded(.toNearestOrEven)
        let t = place - nearest
        let before = 0.5 * (0.5 - t) * (0.5 - t)
        let after = 0.5 * (0.5 + t) * (0.5 + t)
        let middle = 1 - before - after
        let base = SIMD3<Int32>(nearest) &- 1
        let across = SIMD4(before.x, middle.x, after.x, 0)
        return lattice.withUnsafeBufferPointer { lattice in
            func line(_ dz: Int, _ dy: Int) -> SIMD4<Float> {
                let i = ((Int(base.z) + dz) * side + Int(base.y) + dy) * side + Int(base.x)
                return SIMD4(lattice[i], lattice[i + 1], lattice[i + 2], 0)
            }
            func plane(_ dz: Int) -> SIMD4<Float> {
                before.y * line(dz, 0) + middle.y * line(dz, 1) + after.y * line(dz, 2)
            }
            return (across * (before.z * plane(0) + middle.z * plane(1) + after.z * plane(2))).sum()
        }
    }
}
