import Geometry
import Testing

@testable import Sampling

@Suite struct PatchSamplerTests {
    /// A volume with a few foreground voxels, some of them in corners.
    private func sparse(_ extent: Size3, count: Int, seed: UInt64) -> [UInt8] {
        var random = CounterRandom(seed: seed, stream: CounterRandom.Stream(200))
        var labels = [UInt8](repeating: 0, count: extent.count)
        for _ in 0..<count {
            labels[random.integer(below: extent.count)] = UInt8(1 + random.integer(below: 2))
        }
        return labels
    }

    /// All positions that hold a voxel of `wanted`, found by looking at every voxel of every patch.
    private func bruteForce(
        _ labels: [UInt8], _ extent: Size3, _ patch: Size3, _ wanted: (UInt8) -> Bool
    ) -> Set<VoxelIndex> {
        var found: Set<VoxelIndex> = []
        for z in 0...extent.depth - patch.depth {
            for y in 0...extent.height - patch.height {
                for x in 0...extent.width - patch.width {
                    for offset in 0..<patch.count {
                        let v = VoxelIndex(offset: offset, in: patch)
                        if wanted(labels[((z + v.z) * extent.height + y + v.y) * extent.width + x + v.x]) {
                            found.insert(VoxelIndex(z: z, y: y, x: x))
                        }
                    }
                }
            }
        }
        return found
    }

    @Test(arguments: [
        (Size3(9, 10, 11), Size3(3, 4, 2), 6), (Size3(12, 7, 9), Size3(cube: 1), 20),
        (Size3(1, 20, 30), Size3(1, 5, 5), 4), (Size3(8, 8, 8), Size3(cube: 8), 1),
        (Size3(14, 15, 16), Size3(cube: 5), 2), (Size3(5, 6, 7), Size3(cube: 2), 0),
    ])
    func admissiblePositionsAreThoseThatHoldForeground(extent: Size3, patch: Size3, voxels: Int) {
        let labels = sparse(extent, count: voxels, seed: UInt64(extent.count))
        let positions = AdmissiblePositions(in: labels, extent: extent, effective: patch) { $0 != 0 }
        let expected = bruteForce(labels, extent, patch) { $0 != 0 }
        #expect(positions.count == expected.count)
        let found = (0..<positions.count).map { positions.grid[positions.position($0)] }
        #expect(Set(found) == expected)
        #expect(Set(found).count == found.count)
        #expect(
            found.allSatisfy { position in (0..<3).allSatisfy { position[$0] + patch[$0] <= extent[$0] } })
    }

    @Test func foregroundDrawsAreUniformOverPositions() {
        // One lesion of 27 voxels and one of a single voxel: each position has the same chance all the same.
        let extent = Size3(6, 7, 20)
        var labels = [UInt8](repeating: 0, count: extent.count)
        for z in 1...3 { for y in 1...3 { for x in 1...3 { labels[(z * 7 + y) * 20 + x] = 1 } } }
        labels[(5 * 7 + 6) * 20 + 18] = 1
        let positions = ForegroundSampler().positions(in: labels, extent: extent, effective: Size3(cube: 2))
        let expected = bruteForce(labels, extent, Size3(cube: 2)) { $0 != 0 }
        #expect(positions.count == 64 + 2)
        var random = CounterRandom(seed: 9, stream: CounterRandom.Stream(200))
        var counts: [VoxelIndex: Int] = [:]
        for _ in 0..<66_000 { counts[positions.draw(&random), default: 0] += 1 }
        #expect(Set(counts.keys) == expected)
        let chi = counts.values.reduce(0.0) { $0 + (Double($1) - 1000) * (Double($1) - 1000) / 1000 }
        // 65 degrees of freedom: more than 106 once in a thousand seeds.
        #expect(chi < 106)
    }

    @Test func lesionsAtTheEdgeAreReached() {
        let extent = Size3(cube: 10)
        for corner in [0, extent.count - 1] {
            var labels = [UInt8](repeating: 0, count: extent.count)
            labels[corner] = 1
            let positions = ForegroundSampler().positions(
                in: labels, extent: extent, effective: Size3(cube: 4))
            #expect(positions.count == 1)
            var random = CounterRandom(seed: 1, stream: CounterRandom.Stream(200))
            let place = corner == 0 ? 0 : 6
            #expect(positions.draw(&random) == VoxelIndex(z: place, y: place, x: place))
        }
    }

    @Test func aVolumeSmallerThanThePatchIsCentred() {
        let extent = Size3(3, 10, 4)
        var labels = [UInt8](repeating: 0, count: extent.count)
        labels[extent.count - 1] = 1
        let positions = ForegroundSampler().positions(in: labels, extent: extent, effective: Size3(6, 4, 9))
        #expect(positions.count == 1)
        var random = CounterRandom(seed: 1, stream: CounterRandom.Stream(200))
        // 3 more voxels in depth and 5 more in width: one and two of them in front.
        #expect(positions.draw(&random) == VoxelIndex(z: -1, y: 6, x: -2))
        let all = UniformSampler().positions(in: labels, extent: extent, effective: Size3(6, 4, 9))
        #expect(all.count == 7)
    }

    @Test func uniformDrawsReachEveryPosition() {
        let extent = Size3(4, 5, 6)
        let labels = [UInt8](repeating: 0, count: extent.count)
        let positions = UniformSampler().positions(in: labels, extent: extent, effective: Size3(3, 3, 3))
        #expect(positions.count == 2 * 3 * 4)
        var random = CounterRandom(seed: 2, stream: CounterRandom.Stream(200))
        let drawn = Set((0..<1000).map { _ in positions.draw(&random) })
        #expect(drawn.count == 24)
        #expect(
            drawn.allSatisfy { (0...1).contains($0.z) && (0...2).contains($0.y) && (0...3).contains($0.x) })
    }

    @Test func balancedDrawsEveryClassEquallyOften() {
        // Class 2 is in one voxel, class 0 everywhere; patches of one voxel tell which class was drawn.
        let extent = Size3(cube: 8)
        var labels = [UInt8](repeating: 0, count: extent.count)
        labels[77] = 2
        for i in 100..<140 { labels[i] = 1 }
        let positions = BalancedSampler().positions(in: labels, extent: extent, effective: Size3(cube: 1))
        var random = CounterRandom(seed: 3, stream: CounterRandom.Stream(200))
        var counts = [0, 0, 0]
        for _ in 0..<3000 {
            let p = positions.draw(&random)
            counts[Int(labels[(p.z * 8 + p.y) * 8 + p.x])] += 1
        }
        // Standard deviation 26.
        #expect(counts.allSatisfy { abs($0 - 1000) < 110 })
    }
}
