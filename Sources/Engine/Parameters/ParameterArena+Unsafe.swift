extension ParameterArena {
    /// The whole arena, for flat passes.
    public func withUnsafeMutableBuffer<R>(_ body: (UnsafeMutableBufferPointer<Float>) throws -> R) rethrows
        -> R
    {
        defer { withExtendedLifetime(storage) {} }
        return try body(hostMemory)
    }

    /// Where the values lie, for what reads and writes them beyond a call, as the wire does: valid as long as
    /// the arena lives.
    public var hostMemory: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: storage.pointer, count: count)
    }

    /// A copy of all values.
    public var values: [Float] { withUnsafeMutableBuffer { Array($0) } }

    /// Sets all values.
    public func setValues(_ values: [Float]) {
        precondition(values.count == count, "\(values.count) values for an arena of \(count)")
        withUnsafeMutableBuffer { _ = $0.update(fromContentsOf: values) }
    }

    /// Adds a range of another arena's elements.
    package func add(_ other: ParameterArena, _ range: Range<Int>) {
        let (sum, term) = (storage.pointer, other.storage.pointer)
        for index in range { sum[index] += term[index] }
    }

    /// Copies a range of another arena's elements.
    package func copy(_ other: ParameterArena, _ range: Range<Int>) {
        (storage.pointer + range.lowerBound).update(
            from: other.storage.pointer + range.lowerBound, count: range.count)
    }

    package func pointer(_ entry: Entry) -> UnsafeMutablePointer<Float> {
        storage.pointer + entry.range.lowerBound
    }
}
