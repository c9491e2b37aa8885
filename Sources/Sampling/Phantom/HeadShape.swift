import Foundation

/// Shares of the tissues in a voxel, which add up to 1.
typealias TissueShares = SIMD8<Float>

/// Places in `TissueShares`.
enum Tissue: Int, CaseIterable {
    case air, scalp, bone, muscle, fluid, grey, white, deepGrey
}

/// The anatomy of one synthetic head, in millimetres: x to the right, y to the front, z to the top, 0 in the
/// middle.
///
/// Every surface is a signed distance, positive inside, so a voxel's share of a tissue follows from the
/// distance of its centre. The cortex is a layer under the pial surface, and sulci are sheets in which that
/// surface goes inward: the zero set of a smooth random field that is constant along the radius.
struct HeadShape {
    /// What the model says about one point.
    struct Sample {
        var shares: TissueShares
        /// Distance from the lateral ventricles, positive outside.
        var ventricleDistance: Float
        /// Distance from the inner surface of the cortex, positive in the white matter of the cerebrum.
        var whiteDepth: Float
    }

    private static let cortexThickness: Float = 2.7
    /// Scalp and skull.
    private static let scalp: Float = 4.5
    private static let skull: Float = 5.5

    private let semiaxes: SIMD3<Float>
    private let rotation: [SIMD3<Float>]
    private let shift: SIMD3<Float>
    /// Grows ventricles and sulci.
    private let atrophy: Float
    private let ventricles: [(from: SIMD4<Float>, to: SIMD4<Float>)]
    private let folds: SmoothNoise
    private let fineFolds: SmoothNoise
    private let foldDepth: SmoothNoise
    private let outline: SmoothNoise

    init(random: inout CounterRandom) {
        let size = Float(random.uniform(in: 0.96...1.03))
        func vary(_ value: Float, _ share: Double) -> Float {
            value * Float(random.uniform(in: 1 - share...1 + share))
        }
        semiaxes = SIMD3(vary(73, 0.03), vary(88, 0.025), vary(79, 0.03)) * size
        shift = SIMD3(vary(2, 2) - 2, vary(2, 1.5) - 2, vary(2, 2) - 4)
        let angles = (0..<3).map { _ in Float(random.uniform(in: -0.07...0.07)) }
        rotation = HeadShape.rotation(angles)
        let atrophy = Float(random.uniform(in: 0.8...1.35))
        self.atrophy = atrophy
        // Centre line and radius of a lateral ventricle: frontal horn, body, trigone, then the other two
        // horns.
        let line: [SIMD4<Float>] = [
            SIMD4(8, 31, 2, 3.2), SIMD4(10, 22, 9, 4.6), SIMD4(10, 3, 15, 4.6), SIMD4(13, -18, 15, 5),
            SIMD4(22, -35, 6, 6),
        ]
        let horns: [SIMD4<Float>] = [SIMD4(20, -58, 3, 2), SIMD4(30, -12, -13, 1.8)]
        let grow = SIMD4<Float>(1, 1, 1, atrophy)
        var segments = zip(line, line.dropFirst()).map { (from: $0 * grow, to: $1 * grow) }
        segments += horns.map { (from: SIMD4(22, -35, 6, 5) * grow, to: $0 * grow) }
        ventricles = segments
        folds = SmoothNoise(cell: 6.3, random: &random)
        fineFolds = SmoothNoise(cell: 5, reach: 100, random: &random)
        foldDepth = SmoothNoise(cell: 35, random: &random)
        outline = SmoothNoise(cell: 45, random: &random)
    }

    /// The head's own coordinates of a place on the scanner's axes.
    func headCoordinates(_ place: SIMD3<Float>) -> SIMD3<Float> {
        let p = place - shift
        return SIMD3((rotation[0] * p).sum(), (rotation[1] * p).sum(), (rotation[2] * p).sum())
    }

    /// Tips of the horns, around which hyperintensities form caps.
    static let hornTips: [SIMD3<Float>] = [SIMD3(8, 33, 2), SIMD3(21, -50, 5)]

    /// The model at `p`, in the head's own coordinates.
    ///
    /// - Parameter voxel: edge of a voxel; surfaces are blurred over that length.
    func sample(_ p: SIMD3<Float>, voxel: Float) -> Sample {
        var shares = TissueShares(repeating: 0)
        shares[Tissue.air.rawValue] = 1
        let round = ellipsoid(p, semiaxes)
        guard round > -12 else { return Sample(shares: shares, ventricleDistance: 99, whiteDepth: -99) }
        let head = round + 1.2 * outline(p)
        func cover(_ tissue: Tissue, _ distance: Float) {
            let share = min(max(distance / voxel + 0.5, 0), 1)
            if share == 0 { return }
            shares *= 1 - share
            shares[tissue.rawValue] += share
        }
        cover(.scalp, head)
        guard head > -voxel else { return Sample(shares: shares, ventricleDistance: 99, whiteDepth: -99) }

        let vault = head - HeadShape.scalp - HeadShape.skull
        // The base of the skull slopes down to the back, where the cerebellum lies under the hemispheres.
        let temporal = (abs(p.x) - 34) / 15
        let base = p.z + 26 + 0.12 * p.y + 11 * exp(-temporal * temporal) + 2 * foldDepth(p)
        let cerebellum = min(ellipsoid(p - SIMD3(0, -44, -42), SIMD3(44, 28, 20)), vault - 2)
        let stem = min(ellipsoid(p - SIMD3(0, -14, -44), SIMD3(12, 13, 44)), vault - 2)
        let cavity = max(min(vault, base + 3), cerebellum + 2.5, stem + 3)
        cover(.muscle, min(head - HeadShape.scalp, -base))
        cover(.bone, min(head - HeadShape.scalp, max(base + 6, cavity + 4)))
        cover(.fluid, cavity)

        cover(.grey, cerebellum)
        cover(.white, cerebellum - 7 - 4 * abs(fineFolds(p)))
        cover(.white, stem)

        let hemispheres = min(vault - 1.6 * atrophy, base)
        guard hemispheres > -voxel else {
            return Sample(shares: shares, ventricleDistance: 99, whiteDepth: -99)
        }
        let pial = pialDepth(p, surface: hemispheres, vault: vault)
        let whiteDepth = pial - HeadShape.cortexThickness
        let ventricle = ventricleDistance(p)
        cover(.fluid, min(hemispheres + voxel, 0.5 * voxel - pial))
        cover(.grey, pial)
        cover(.white, whiteDepth)
        let mirrored = SIMD3(abs(p.x), p.y, p.z)
        cover(.deepGrey, ellipsoid(mirrored - SIMD3(13 + 2 * atrophy, 16, 7), SIMD3(4.5, 13, 8)))
        cover(.deepGrey, ellipsoid(mirrored - SIMD3(26, 4, 0), SIMD3(6, 16, 9)))
        cover(.deepGrey, ellipsoid(mirrored - SIMD3(11 + atrophy, -13, 3), SIMD3(8, 13, 8)))
        cover(.fluid, ellipsoid(p - SIMD3(0, -6, -1), SIMD3(1.5 + atrophy, 15, 10)))
        cover(.fluid, -ventricle)
        return Sample(shares: shares, ventricleDistance: ventricle, whiteDepth: whiteDepth)
    }

    /// Depth under the pial surface of the hemispheres, which follows the sulci and fissures inward.
    private func pialDepth(_ p: SIMD3<Float>, surface: Float, vault: Float) -> Float {
        let width = 0.5 + 0.5 * atrophy
        var depth = surface
        // Between the hemispheres, down to the corpus callosum and past it in front and behind.
        let over = max(0, abs(p.y + 2) - 34)
        let callosum = 24 - 0.06 * over * over
        depth = min(depth, length(p.x, max(0, callosum - p.z)) - width)
        // The lateral fissure under frontal and parietal lobes.
        let lateral = p.z - 2 - 0.3 * (p.y + 5)
        depth = min(depth, length(lateral, max(0, vault - 23), max(0, abs(p.y - 5) - 30)) - width)
        if vault < 30 {
            let radius = (p / semiaxes * (p / semiaxes)).sum().squareRoot()
            let along = p * pow(0.8 / max(radius, 0.2), 0.85)
            let reach = 17 + 6 * foldDepth(p)
            depth = min(depth, length(3.4 * folds(along), max(0, vault - reach)) - width)
        }
        return depth
    }

    /// Distance from the lateral ventricles, positive outside.
    private func ventricleDistance(_ p: SIMD3<Float>) -> Float {
        let mirrored = SIMD3(abs(p.x), p.y, p.z)
        var nearest: Float = 99
        for (from, to) in ventricles {
            let start = SIMD3(from.x, from.y, from.z)
            let axis = SIMD3(to.x, to.y, to.z) - start
            let t = min(max(((mirrored - start) * axis).sum() / (axis * axis).sum(), 0), 1)
            let offset = mirrored - start - t * axis
            // Ventricles are taller than they are wide.
            let distance = length(1.25 * offset.x, offset.y, 0.9 * offset.z) - (from.w + t * (to.w - from.w))
            nearest = min(nearest, distance)
        }
        return nearest
    }

    private static func rotation(_ angles: [Float]) -> [SIMD3<Float>] {
        let (sx, cx) = (sin(angles[0]), cos(angles[0]))
        let (sy, cy) = (sin(angles[1]), cos(angles[1]))
        let (sz, cz) = (sin(angles[2]), cos(angles[2]))
        return [
            SIMD3(cy * cz, cz * sx * sy - cx * sz, cx * cz * sy + sx * sz),
            SIMD3(cy * sz, cx * cz + sx * sy * sz, cx * sy * sz - cz * sx),
            SIMD3(-sy, cy * sx, cx * cy),
        ]
    }
}

/// Distance along the radius from the surface of an ellipsoid around 0, positive inside.
private func ellipsoid(_ p: SIMD3<Float>, _ semiaxes: SIMD3<Float>) -> Float {
    let scaled = p / semiaxes
    let radius = (scaled * scaled).sum().squareRoot()
    if radius < 1e-3 { return semiaxes.min() }
    return (p * p).sum().squareRoot() * (1 / radius - 1)
}

private func length(_ x: Float, _ y: Float, _ z: Float = 0) -> Float {
    (x * x + y * y + z * z).squareRoot()
}
