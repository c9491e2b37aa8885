import CKernels
import Engine

/// The per-channel numbers of an affine pass as the kernels read them, and the calls.
final class AffineLanes {
    private enum Row: Int, CaseIterable { case mean, scale, shift, slope, constant, linear }

    private let storage: FloatStorage
    private let channels: Int, stride: Int
    /// Sets of numbers: one for all slots, or one a slot.
    private let sets: Int
    private let activation: dr_activation
    /// [set][channel], in double.
    private(set) var scale: [Double] = []

    init(channels: Int, padded: Int, sets: Int, activation: dr_activation) {
        (self.channels, self.sets, self.activation) = (channels, sets, activation)
        stride = (padded + 15) / 16 * 16
        storage = FloatStorage(count: stride * sets * Row.allCases.count)
    }

    private func pointer(_ row: Row) -> UnsafeMutablePointer<Float> {
        storage.pointer + row.rawValue * stride * sets
    }

    /// Values are [set][channel]. Padded channels keep zeros, so that they stay zero.
    private func write(_ row: Row, _ values: [Double]) {
        for (index, value) in values.enumerated() {
            pointer(row)[index / channels * stride + index % channels] = Float(value)
        }
    }

    func setIdentity() {
        let zeros = [Double](repeating: 0, count: sets * channels)
        set(mean: zeros, scale: zeros.map { _ in 1 }, shift: zeros)
    }

    func set(mean: [Double], scale: [Double], shift: [Double]) {
        self.scale = scale
        write(.mean, mean)
        write(.scale, scale)
        write(.shift, shift)
    }

    /// - Parameter slope: [channel]
    func set(slope: [Double]) { write(.slope, (0..<sets).flatMap { _ in slope }) }

    var kernelView: dr_affine { kernelView(firstSlot: 0) }

    /// The numbers of the slots from `firstSlot` on.
    func kernelView(firstSlot: Int) -> dr_affine {
        let offset = sets > 1 ? firstSlot * stride : 0
        return dr_affine(
            mean: pointer(.mean) + offset, scale: pointer(.scale) + offset, shift: pointer(.shift) + offset,
            slope: pointer(.slope) + offset,
            slot_stride: Int64(sets > 1 ? stride : 0), activation: activation)
    }

    func forward(x: Tensor, y: Tensor, voxels: VoxelRuns, threads: Int) {
        var (from, to, runs, f) = (x.kernelView, y.kernelView, voxels.kernelView, kernelView)
        dr_affine_forward(&from, &to, &runs, &f, Int32(threads))
    }

    /// [slot][padded channel][sum x, sum x^2]
    static func moments(x: Tensor, voxels: VoxelRuns, threads: Int) -> [Double] {
        sums(2, x, voxels) { partial, sums in
            var (from, runs) = (x.kernelView, voxels.kernelView)
            dr_moments(&from, &runs, sums, partial, Int32(threads))
        }
    }

    /// [slot][padded channel][sum dz, sum dz (x - mean), sum of dy z over z <= 0]
    func backwardSums(x: Tensor, dy: Tensor, voxels: VoxelRuns, threads: Int) -> [Double] {
        Self.sums(3, x, voxels) { partial, sums in
            var (from, gradient, runs, f) = (x.kernelView, dy.kernelView, voxels.kernelView, kernelView)
            dr_affine_backward_sums(&from, &gradient, &runs, &f, sums, partial, Int32(threads))
        }
    }

    func backward(
        x: Tensor, dy: Tensor, dx: Tensor, voxels: VoxelRuns, constant: [Double], linear: [Double],
        accumulate: Bool, isActivated: Bool, threads: Int
    ) {
        write(.constant, constant)
        write(.linear, linear)
        var (from, gradient, to) = (x.kernelView, dy.kernelView, dx.kernelView)
        var (runs, f) = (voxels.kernelView, kernelView)
        if isActivated { f.activation = DR_IDENTITY }
        dr_affine_backward(
            &from, &gradient, &to, &runs, &f, pointer(.constant), pointer(.linear), accumulate ? 1 : 0,
            Int32(threads))
    }

    private static func sums(
        _ count: Int, _ x: Tensor, _ voxels: VoxelRuns,
        _ body: (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) -> Void
    ) -> [Double] {
        let channels = x.slots * x.layout.paddedChannels
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: channels * voxels.groupCount * count)
        {
            partial in
            [Double](unsafeUninitializedCapacity: channels * count) { sums, initialized in
                sums.initialize(repeating: 0)
                if let from = partial.baseAddress, let to = sums.baseAddress { body(from, to) }
                initialized = channels * count
            }
        }
    }
}
