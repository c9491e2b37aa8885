/// Values that stay where they are.
final class ValueStore<Value: BitwiseCopyable> {
    let values: UnsafeMutableBufferPointer<Value>

    init(_ initial: [Value]) {
        values = .allocate(capacity: initial.count)
        _ = values.initialize(from: initial)
    }

    /// Values whose bits are all 0.
    init(zeros count: Int) {
        values = .allocate(capacity: count)
        UnsafeMutableRawBufferPointer(values).initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { values.deallocate() }
}

typealias FloatStore = ValueStore<Float>
