import Geometry

extension Graph {
    /// The image without `border` voxels on both sides of each axis that is longer than 1.
    public mutating func crop(_ x: Value, border: Int) -> Value { crop(x, before: border, after: border) }

    /// The image without the first and the last voxels of each axis that is longer than 1.
    public mutating func crop(_ x: Value, before: Int, after: Int) -> Value {
        precondition(before >= 0 && after >= 0, "a border of \(before) and \(after) voxels")
        return before + after == 0
            ? x : append(.crop(x, before: before, after: after), channels: channels(of: x))
    }

    /// Every `step`-th voxel of each axis that is longer than 1, the middle one of each run of `step`; its
    /// length must be a multiple of `step`.
    public mutating func subsample(_ x: Value, step: Int) -> Value {
        precondition(step > 0 && step % 2 == 1, "runs of \(step) voxels have no middle")
        return step == 1 ? x : append(.subsample(x, step: step), channels: channels(of: x))
    }

    /// Each voxel `factor` times along each axis; an axis of one voxel stays where the input's is one voxel
    /// too.
    public mutating func upsample(_ x: Value, factor: Int) -> Value {
        precondition(factor > 0, "a factor of \(factor)")
        return factor == 1 ? x : append(.upsample(x, factor: factor), channels: channels(of: x))
    }

    /// The channels of all values, one after the other. They must be of one size.
    public mutating func concatenate(_ values: [Value]) -> Value {
        precondition(!values.isEmpty, "nothing to concatenate")
        return append(.concatenate(values), channels: values.reduce(0) { $0 + channels(of: $1) })
    }

    /// The maximum over each window of `window` voxels that lies in the image, `stride` apart along the axes
    /// where the window is longer than 1: n voxels become (n - window) / stride + 1, rounded down.
    public mutating func maxPool(_ x: Value, window: Size3, stride: Int) -> Value {
        precondition(
            stride > 0 && (0..<3).allSatisfy { window[$0] > 0 }, "windows of \(window), \(stride) apart")
        let pooling = Pooling(window: window, stride: Size3 { window[$0] > 1 ? stride : 1 })
        return append(.maxPool(x, pooling), channels: channels(of: x))
    }
}
