import CKernels

/// A move between two orders of voxels, or a crop: forward to[v] = from[v + offset], backward the transpose.
final class Relayout {
    private let forwardMap, backwardMap: MoveMap
    private let threads: Int

    init(from: Layout, to: Layout, offset: Size3, threads: Int) {
        forwardMap = MoveMap(from: from, to: to, offset: offset)
        backwardMap = MoveMap(from: to, to: from, offset: offset.map { -offset[$0] })
        self.threads = threads
    }

    func forward(from: Tensor, to: Tensor) { forwardMap.run(from, to, accumulate: false, threads: threads) }

    func backward(dto: Tensor, dfrom: Tensor, accumulate: Bool) {
        backwardMap.run(dto, dfrom, accumulate: accumulate, threads: threads)
    }
}

/// Where each voxel of the target lies and comes from, in the order in which the target lies in memory.
private final class MoveMap {
    private let storage: UnsafeMutableBufferPointer<Int32>
    private let counts: Size3

    init(from: Layout, to: Layout, offset: Size3) {
        counts = to.size
        var all: [Int32] = []
        for axis in 0..<3 {
            let (sources, targets) = (from.positions(axis), to.positions(axis))
            let order = targets.indices.sorted { targets[$0] < targets[$1] }
            func stride(_ layout: Layout) -> Int {
                (axis + 1..<3).reduce(1) { $0 * layout.extent[$1] }
            }
            all += order.map { voxel in
                let source = voxel + offset[axis]
                return sources.indices.contains(source) ? Int32(sources[source] * stride(from)) : -1
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

/// A shortcut of fewer or as many channels, zero-padded on both sides: forward y += x in place, backward the channels.
enum Shortcut {
    static func firstChannel(wide: Int, narrow: Int) -> Int { (wide - narrow) / 2 }

    static func forward(x: Tensor, y: Tensor, voxels: VoxelRuns, threads: Int) {
        var (wide, narrow, runs) = (y.kernelView, x.kernelView, voxels.kernelView)
        let first = firstChannel(wide: y.layout.channels, narrow: x.layout.channels)
        dr_add_channels(&wide, &narrow, &runs, Int32(first), Int32(x.layout.channels), Int32(threads))
    }

    static func backward(dy: Tensor, dx: Tensor, voxels: VoxelRuns, accumulate: Bool, threads: Int) {
        var (wide, narrow, runs) = (dy.kernelView, dx.kernelView, voxels.kernelView)
        let first = firstChannel(wide: dy.layout.channels, narrow: dx.layout.channels)
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
