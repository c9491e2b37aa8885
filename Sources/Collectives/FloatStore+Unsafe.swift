/// Floats that stay where they are.
final class FloatStore {
    let values: UnsafeMutableBufferPointer<Float>

    init(_ initial: [Float]) {
        values = .allocate(capacity: initial.count)
        _ = values.initialize(from: initial)
    }

    deinit { values.deallocate() }
}
