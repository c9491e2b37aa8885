import CKernels

/// Moves between dilations, and crops: forward to[v] = from[v + offset], backward the transpose.
enum Relayout {
    static func forward(from: Tensor, to: Tensor, offset: Size3, threads: Int) {
        move(from, to, offset: offset, sign: 1, accumulate: false, threads: threads)
    }

    static func backward(dto: Tensor, dfrom: Tensor, offset: Size3, accumulate: Bool, threads: Int) {
        move(dto, dfrom, offset: offset, sign: -1, accumulate: accumulate, threads: threads)
    }

    private static func move(
        _ source: Tensor, _ target: Tensor, offset: Size3, sign: Int, accumulate: Bool, threads: Int
    ) {
        var (from, to) = (source.kernelView, target.kernelView)
        let steps = (0..<3).map { Int64(sign * offset[$0]) }
        dr_relayout(&from, source.image, &to, target.image, steps, accumulate ? 1 : 0, Int32(threads))
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
