import Foundation
import Geometry
import Testing

@testable import Sampling

@Suite struct InspectionTests {
    /// Two cubes that touch by a corner are one lesion; a voxel apart is another; classes do not part a
    /// lesion.
    @Test func lesionsTouchByCorners() {
        let extent = Size3(4, 5, 6)
        var labels = [UInt8](repeating: 0, count: extent.count)
        func mark(_ z: Int, _ y: Int, _ x: Int, _ label: UInt8 = 1) { labels[(z * 5 + y) * 6 + x] = label }
        mark(0, 0, 0)
        mark(1, 1, 1, 2)
        mark(2, 2, 2)
        mark(3, 4, 5)
        #expect(ConnectedComponents.sizes(of: labels, extent: extent) == [3, 1])
        #expect(ConnectedComponents.sizes(of: [UInt8](repeating: 0, count: 120), extent: extent).isEmpty)
        #expect(ConnectedComponents.sizes(of: [UInt8](repeating: 1, count: 120), extent: extent) == [120])
    }

    /// One foreground voxel: every patch that the sampler draws holds it, and nothing else of the foreground.
    @Test func aSingleVoxelIsTheSmallestShare() throws {
        let extent = Size3(cube: 9)
        var labels = [UInt8](repeating: 0, count: extent.count)
        labels[(4 * 9 + 4) * 9 + 4] = 1
        let subject = Subject(
            name: "one", geometry: VolumeGeometry(extent: extent, spacing: [1, 1, 2], origin: [0, 0, 0]),
            channels: 1, images: [Float](repeating: 0, count: extent.count), reference: labels)
        let inspection = SubjectInspection(subject, classes: 2)
        #expect(inspection.classVoxels == [728, 1])
        #expect(inspection.lesions == [1])
        let patches = PatchInspection(
            subject, number: 0, sampler: ForegroundSampler(), effective: Size3(cube: 3), draws: 50, seed: 1)
        #expect(patches.positions == 27)
        #expect(patches.shares == [Double](repeating: 1 / 27, count: 50))
        let uniform = PatchInspection(
            subject, number: 0, sampler: UniformSampler(), effective: Size3(cube: 3), draws: 200, seed: 1)
        // 27 of 343 positions hold it: 15.7 of 200 draws, standard deviation 3.8.
        #expect((4...32).contains(uniform.shares.count { $0 > 0 }))
    }

    @Test func aSubjectWithoutForegroundHasNoPatch() {
        let extent = Size3(cube: 5)
        let subject = Subject(
            name: "none", geometry: VolumeGeometry(extent: extent, spacing: [1, 1, 1], origin: [0, 0, 0]),
            channels: 1, images: [Float](repeating: 0, count: extent.count),
            reference: [UInt8](repeating: 0, count: extent.count))
        let patches = PatchInspection(
            subject, number: 0, sampler: ForegroundSampler(), effective: Size3(cube: 3), draws: 50, seed: 1)
        #expect(patches.positions == 0 && patches.shares.isEmpty)
    }
}
