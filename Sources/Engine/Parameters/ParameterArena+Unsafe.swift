extension ParameterArena {
    /// The whole arena, for flat passes. The pointer is valid as long as the arena lives.
    public func withUnsafeMutableBuffer<R>(_ body: (UnsafeMutableBufferPointer<Float>) throws -> R) rethrows
        -> R
    {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeMutableBufferPointer(start: storage.pointer, count: count))
    }

    /// Adds a range of another arena's elements.
    func add(_ other: ParameterArena, _ range: Range<Int>) {
        let (sum, term) = (storage.pointer, other.storage.pointer)
        for index in range { sum[index] += term[index] }
    }

    /// Copies a range of another arena's elements.
    func copy(_ other: ParameterArena, _ range: Range<Int>) {
        (storage.pointer + range.lowerBound).update(
            from: other.storage.pointer + range.lowerBound, count: range.count)
    }

    func pointer(_ entry: Entry) -> UnsafeMutablePointer<Float> { storage.pointer + entry.range.lowerBound }
}
