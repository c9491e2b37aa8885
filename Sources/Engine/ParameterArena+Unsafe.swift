extension ParameterArena {
    /// The whole arena, for flat passes. The pointer is valid as long as the arena lives.
    public func withUnsafeMutableBuffer<R>(_ body: (UnsafeMutableBufferPointer<Float>) throws -> R) rethrows
        -> R
    {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeMutableBufferPointer(start: storage.pointer, count: count))
    }

    func pointer(_ entry: Entry) -> UnsafeMutablePointer<Float> { storage.pointer + entry.range.lowerBound }
}
