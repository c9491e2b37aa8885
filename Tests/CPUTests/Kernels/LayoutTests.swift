import Geometry
import Testing

@testable import CPU
@testable import Engine

/// Where voxels lie, and which tiles cover them.
@Suite struct LayoutTests {
    static func layout(_ size: Size3, dilation: Int, gap: Int = 1, planar: Bool = false) -> Layout {
        Layout(
            channels: 8, size: size, dilation: 1, gap: Size3(0, 0, 0), planar: planar,
            instructionSet: .portable
        )
        .with(dilation: dilation, gap: Size3(planar ? 0 : gap, gap, gap))
    }

    @Test func dilationPutsNeighboursSideBySide() {
        let layout = Self.layout(Size3(7, 7, 7), dilation: 3)
        // 0 3 6 _ 1 4 _ 2 5
        #expect(layout.positions(2) == [0, 4, 7, 1, 5, 8, 2])
        #expect(layout.extent == Size3(9, 9, 9))
        #expect(layout.hasGaps)
    }

    @Test func planesAreNotSplitInDepth() {
        let layout = Self.layout(Size3(1, 5, 5), dilation: 2, planar: true)
        #expect(layout.positions(0) == [0])
        #expect(layout.extent == Size3(1, 6, 6))
    }

    @Test func anUndilatedImageHasNoGaps() {
        let layout = Self.layout(Size3(5, 6, 7), dilation: 1)
        #expect(layout.extent == layout.size && !layout.hasGaps)
        #expect(layout.positions(1) == Array(0..<6))
    }

    /// The fewest tiles of four: 51 voxels at dilation 4 are runs of 13, 13, 13 and 12 with gaps of one,
    /// which 14 tiles cover where each run by itself would take four.
    @Test(arguments: [
        (13, 1, 4), (51, 1, 13), (51, 2, 13), (51, 4, 14), (48, 4, 12), (63, 4, 16), (85, 2, 22), (85, 4, 22),
        (3, 4, 2), (1, 1, 1),
    ])
    func tilesAreFew(size: Int, dilation: Int, tiles: Int) {
        let layout = Self.layout(Size3(cube: size), dilation: dilation)
        let found = WinogradTiles(
            x: layout, y: layout, zeros: Size3(1, 1, 1),
            region: Region(x: VoxelBox(layout.size), y: VoxelBox(layout.size)))
        #expect(found.count == tiles * tiles * tiles)
        #expect(found.coversAll)
    }

    /// The middle 15 of 51 voxels at dilation 4 are at most four of each run: one tile.
    @Test func aWindowTakesItsTilesOnly() {
        let layout = Self.layout(Size3(cube: 51), dilation: 4)
        let window = VoxelBox(lower: VoxelIndex { _ in 18 }, upper: VoxelIndex { _ in 33 })
        let forward = WinogradTiles(
            x: layout, y: layout, zeros: Size3(1, 1, 1), region: Region(x: VoxelBox(layout.size), y: window))
        #expect(forward.count == 4 * 4 * 4)
        let backward = WinogradTiles(
            x: layout, y: layout, zeros: Size3(1, 1, 1), region: Region(x: window, y: VoxelBox(layout.size)))
        #expect(!backward.coversAll)
    }
}
