import CKernels
import Engine
import Geometry

/// The tiles of a Winograd convolution: on each axis the fewest runs of four positions that cover the voxels
/// wanted.
///
/// A tile may reach over a gap into the next run of voxels, whose values it computes as well; so a dilated
/// axis of 51 voxels, four runs of 13, takes 14 tiles and not 16.
final class WinogradTiles {
    /// Whether every voxel of y is written; those that only zeros reach are not.
    let coversAll: Bool
    private let tiles: UnsafeMutableBufferPointer<dr_tile>
    private let counts: Size3
    private let inputExtent, outputExtent: Size3
    private let planar: Bool

    /// - Parameters:
    ///   - zeros: In front of the image, an axis.
    ///   - region: The voxels of x that may differ from zero, and those of y that are asked for.
    init(x: Layout, y: Layout, zeros: Size3, region: Region) {
        (inputExtent, outputExtent) = (x.extent, y.extent)
        planar = x.planar
        let perAxis = (0..<3).map { axis in
            x.planar && axis == 0
                ? [dr_tile(from: 0, to: 0, inside: 1, wanted: 1)]
                : Self.tiles(
                    inputs: Set(region.x.range(axis).map { x.positions(axis)[$0] }),
                    outputs: Set(region.y.range(axis).map { y.positions(axis)[$0] }), zeros: zeros[axis])
        }
        let useful = perAxis.map { $0.filter { $0.inside != 0 } }
        coversAll = region.y == VoxelBox(y.size) && perAxis.map(\.count) == useful.map(\.count)
        counts = Size3(useful[0].count, useful[1].count, useful[2].count)
        tiles = .allocate(capacity: useful.joined().count)
        _ = tiles.initialize(from: useful.joined())
    }

    deinit { tiles.deallocate() }

    private static func tiles(inputs: Set<Int>, outputs: Set<Int>, zeros: Int) -> [dr_tile] {
        var tiles: [dr_tile] = []
        var covered = -1
        for position in outputs.sorted() where position > covered {
            var tile = dr_tile(from: Int32(position - zeros), to: Int32(position), inside: 0, wanted: 0)
            for bit in 0..<6 where inputs.contains(position - zeros + bit) { tile.inside |= 1 << bit }
            for bit in 0..<4 where outputs.contains(position + bit) { tile.wanted |= 1 << bit }
            tiles.append(tile)
            covered = position + 3
        }
        return tiles
    }

    var count: Int { counts.count }

    /// - Parameter bound: Whether memory has been planned; shapes alone tell the scratch.
    func kernelView(x: Tensor, y: Tensor, bound: Bool) -> dr_winograd {
        var view = dr_winograd()
        (view.x, view.y) = (x.kernelView(bound: bound), y.kernelView(bound: bound))
        (view.x_extent, view.y_extent) = (inputExtent.kernelView, outputExtent.kernelView)
        if let base = tiles.baseAddress {
            view.tiles = (
                UnsafePointer(base), UnsafePointer(base + counts.depth),
                UnsafePointer(base + counts.depth + counts.height)
            )
        }
        view.tile_count = counts.kernelView
        view.planar = planar ? 1 : 0
        return view
    }
}
