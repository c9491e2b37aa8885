import CKernels
import Engine
import Geometry

/// A move between two grids or orders of voxels: forward to[v] = from[map(v)], backward the transpose.
final class Relayout {
    private let forwardMap: MoveMap
    /// One for each copy of a voxel that forward makes.
    private let backwardMaps: [MoveMap]
    private let threads: Int

    init(from: Layout, to: Layout, map: VoxelMap, threads: Int) {
        forwardMap = MoveMap(from: from, to: to) { voxel, axis in map.source(voxel, axis: axis) }
        backwardMaps = (0..<map.repeats.count).map { copy in
            let rest = copy / map.repeats.width
            let copies = Size3(rest / map.repeats.height, rest % map.repeats.height, copy % map.repeats.width)
            return MoveMap(from: to, to: from) { voxel, axis in
                map.target(voxel, axis: axis, copy: copies[axis])
            }
        }
        self.threads = threads
    }

    func forward(from: Tensor, to: Tensor) { forwardMap.run(from, to, accumulate: false, threads: threads) }

    func backward(dto: Tensor, dfrom: Tensor, accumulate: Bool) {
        for (copy, map) in backwardMaps.enumerated() {
            map.run(dto, dfrom, accumulate: accumulate || copy > 0, threads: threads)
        }
    }
}

/// Where each voxel of the target lies and comes from, in the order in which the target lies in memory.
private final class MoveMap {
    private let storage: UnsafeMutableBufferPointer<Int32>
    private let counts: Size3

    /// - Parameter source: The voxel that a voxel of the target comes from, an axis; nil or outside for zero.
    init(from: Layout, to: Layout, source: (_ voxel: Int, _ axis: Int) -> Int?) {
        counts = to.size
        var all: [Int32] = []
        for axis in 0..<3 {
            let (sources, targets) = (from.positions(axis), to.positions(axis))
            let order = targets.indices.sorted { targets[$0] < targets[$1] }
            func stride(_ layout: Layout) -> Int {
                (axis + 1..<3).reduce(1) { $0 * layout.extent[$1] }
            }
            all += order.map { voxel in
                guard let found = source(voxel, axis), sources.indices.contains(found) else { return -1 }
                return Int32(sources[found] * stride(from))
            }
            all += order.map { Int32(targets[$0] * stride(to)) }
        }
        storage = .allocate(capacity: all.count)
        _ = storage.initialize(from: all)
    }

    deinit { storage.deallocate() }

    func run(_ source: Tensor, _ target: Tensor, accumulate: Bool, threads: Int) {
        guard let base = storage.baseAddress else { return }
        var next = UnsafePointer(base)
        func take(_ axis: Int) -> UnsafePointer<Int32> {
            defer { next += counts[axis] }
            return next
        }
        let (z, toZ, y, toY, x, toX) = (take(0), take(0), take(1), take(1), take(2), take(2))
        var move = dr_move(from: (z, y, x), to: (toZ, toY, toX), count: counts.kernelView)
        var (from, to) = (source.kernelView, target.kernelView)
        dr_relayout(&from, &to, &move, accumulate ? 1 : 0, Int32(threads))
    }
}

/// A shortcut of fewer or as many channels, zero-padded on both sides: forward y += x in place, backward the
/// channels.
enum Shortcut {
    static func firstChannel(wide: Int, narrow: Int) -> Int { (wide - narrow) / 2 }

    /// - Parameter first: The channel of y that meets the first one of x; in the middle by default.
    static func forward(x: Tensor, y: Tensor, first: Int? = nil, voxels: VoxelRuns, threads: Int) {
        var (wide, narrow, runs) = (y.kernelView, x.kernelView, voxels.kernelView)
        let first = first ?? firstChannel(wide: y.layout.channels, narrow: x.layout.channels)
        dr_add_channels(&wide, &narrow, &runs, Int32(first), Int32(x.layout.channels), Int32(threads))
    }

    static func backward(
        dy: Tensor, dx: Tensor, first: Int? = nil, voxels: VoxelRuns, accumulate: Bool, threads: Int
    ) {
        var (wide, narrow, runs) = (dy.kernelView, dx.kernelView, voxels.kernelView)
        let first = first ?? firstChannel(wide: dy.layout.channels, narrow: dx.layout.channels)
        dr_take_channels(
            &wide, &narrow, &runs, Int32(first), Int32(dx.layout.channels), accumulate ? 1 : 0, Int32(threads)
        )
    }
}

/// Zeros the positions of `runs`.
func clear(_ x: Tensor, _ runs: VoxelRuns, threads: Int) {
    var (tensor, view) = (x.kernelView, runs.kernelView)
    dr_clear(&tensor, &view, Int32(threads))
}
