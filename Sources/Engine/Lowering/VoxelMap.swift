import Geometry

/// Where the voxels of one grid come from in another: voxel v from (v / repeats) step + offset, an axis each.
///
/// By itself it does not tell a copy from a crop that begins at the first voxel: the sizes of the grids do.
struct VoxelMap: Hashable {
    var offset = Size3(0, 0, 0)
    var step = Size3(1, 1, 1)
    var repeats = Size3(1, 1, 1)

    func source(_ voxel: Int, axis: Int) -> Int { voxel / repeats[axis] * step[axis] + offset[axis] }

    /// The voxel that comes from `source`, the `copy`-th of them, if there is one.
    func target(_ source: Int, axis: Int, copy: Int) -> Int? {
        let distance = source - offset[axis]
        guard distance >= 0, distance % step[axis] == 0 else { return nil }
        return distance / step[axis] * repeats[axis] + copy
    }

    /// Where the voxels of a box come from.
    func sources(of box: VoxelBox, within size: Size3) -> VoxelBox {
        func clamped(_ source: Int, _ axis: Int) -> Int { min(size[axis], max(0, source)) }
        return VoxelBox(
            lower: VoxelIndex { clamped(source(box.lower[$0], axis: $0), $0) },
            upper: VoxelIndex {
                box.upper[$0] == 0 ? 0 : clamped(source(box.upper[$0] - 1, axis: $0) + 1, $0)
            })
    }
}
