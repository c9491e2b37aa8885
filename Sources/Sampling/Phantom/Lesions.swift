import Foundation

/// White matter hyperintensities of one head: caps and bands around the ventricles, and spots of many sizes
/// in the deep white matter.
struct Lesions {
    /// Share of each candidate voxel that is lesion, by the voxel's offset.
    private(set) var shares: [Int: Float] = [:]
    /// Offsets of the voxels that belong to the reference.
    private(set) var voxels: Set<Int> = []

    /// A voxel of white matter that may become lesion.
    struct Candidate {
        let offset: Int
        /// In the head's own coordinates.
        let place: SIMD3<Float>
        let ventricleDistance: Float
        let whiteDepth: Float
    }

    /// - Parameters:
    ///   - count: voxels that the reference is to have; at most half of the candidates.
    ///   - voxel: edge of a voxel in millimetres.
    init(count: Int, candidates: [Candidate], voxel: Float, random: inout CounterRandom) {
        precondition(
            count * 2 <= candidates.count, "\(count) lesion voxels in \(candidates.count) of white matter")
        let ragged = SmoothNoise(cell: 4, reach: 100, random: &random)
        let patchy = SmoothNoise(cell: 9, reach: 100, random: &random)
        let deepShare = random.uniform(in: 0.3...0.5)
        addSpots(
            count: Int(Double(count) * deepShare), candidates: candidates, voxel: voxel, ragged: ragged,
            random: &random)
        addBands(
            count: count - voxels.count, candidates: candidates, voxel: voxel, ragged: ragged, patchy: patchy)
    }

    /// Ellipsoids with rough surfaces and log-normal volumes: median 25 cubic millimetres, a few of a
    /// millilitre.
    private mutating func addSpots(
        count: Int, candidates: [Candidate], voxel: Float, ragged: SmoothNoise, random: inout CounterRandom
    ) {
        let centres = candidates.filter { $0.ventricleDistance > 7 && $0.whiteDepth > 1 }
        guard !centres.isEmpty else { return }
        // Spots that fall on each other add nothing, so the number of tries is bounded too.
        for _ in 0..<20 * count where voxels.count < count {
            let centre = centres[random.integer(below: centres.count)].place
            let volume = min(25 * exp(1.2 * random.normal()), 1500)
            let radius = Float(cbrt(volume * 3 / (4 * .pi)))
            var axis = SIMD3<Float>(Float(random.normal()), Float(random.normal()), Float(random.normal()))
            axis /= max((axis * axis).sum().squareRoot(), 1e-3)
            let stretch = Float(random.uniform(in: 1...1.7))
            let brightness = Float(random.uniform(in: 0.65...1))
            let reach = radius * stretch * 1.4 + voxel
            var inside: [(offset: Int, distance: Float)] = []
            for candidate in candidates {
                let offset = candidate.place - centre
                if abs(offset.x) > reach || abs(offset.y) > reach || abs(offset.z) > reach { continue }
                let along = (offset * axis).sum()
                let across = max(0, (offset * offset).sum() - along * along)
                let distance = (along * along / (stretch * stretch) + across).squareRoot()
                let excess = distance - radius * (1 + 0.18 * ragged(candidate.place))
                mark(candidate.offset, excess: excess, voxel: voxel, brightness: brightness)
                if excess < 0 || distance == 0 { inside.append((candidate.offset, distance)) }
            }
            inside.sort { ($0.distance, $0.offset) < ($1.distance, $1.offset) }
            for (offset, _) in inside where voxels.count < count { voxels.insert(offset) }
        }
    }

    /// The voxels nearest to the ventricles, where nearness counts for more at the horns and varies along the
    /// walls.
    private mutating func addBands(
        count: Int, candidates: [Candidate], voxel: Float, ragged: SmoothNoise, patchy: SmoothNoise
    ) {
        var scored: [(score: Float, offset: Int)] = []
        for candidate in candidates where !voxels.contains(candidate.offset) {
            let mirrored = SIMD3(abs(candidate.place.x), candidate.place.y, candidate.place.z)
            var thickness: Float = 1
            for tip in HeadShape.hornTips {
                let offset = mirrored - tip
                thickness += 2.2 * exp(-(offset * offset).sum() / 200)
            }
            let wander = 1.1 * patchy(candidate.place) + 0.4 * ragged(candidate.place)
            scored.append((candidate.ventricleDistance / thickness - wander, candidate.offset))
        }
        guard count > 0 else { return }
        scored.sort { ($0.score, $0.offset) < ($1.score, $1.offset) }
        let threshold = scored[count - 1].score
        for (place, item) in scored.enumerated() {
            mark(item.offset, excess: item.score - threshold, voxel: voxel, brightness: 1)
            if place < count { voxels.insert(item.offset) }
            if item.score > threshold + voxel { break }
        }
    }

    private mutating func mark(_ offset: Int, excess: Float, voxel: Float, brightness: Float) {
        let share = min(max(0.5 - excess / voxel, 0), 1) * brightness
        if share > 0 { shares[offset] = max(shares[offset] ?? 0, share) }
    }
}
