#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Float32 memory, zero at first, that starts on a page.
///
/// It comes straight from the system: pages are made, zeroed, and placed near a core when that core first
/// writes them. Large ones are asked for in the system's large pages, which a network runs through with a
/// fraction of the faults and of the address look-ups.
package final class FloatStorage: @unchecked Sendable {
    package let pointer: UnsafeMutablePointer<Float>
    package let bytes: Int
    private let base: UnsafeMutableRawPointer
    private let mapped: Int

    private static let largePage = 2 << 20

    package init(count: Int) {
        bytes = max(count, 1) * MemoryLayout<Float>.stride
        let isLarge = bytes >= Self.largePage
        mapped = bytes + (isLarge ? Self.largePage : 0)
        let memory = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { fatalError("no memory for \(bytes) bytes") }
        base = memory
        let start = isLarge ? memory.alignedUp(toMultipleOf: Self.largePage) : memory
        // Advice: where the system has no large pages, small ones do.
        if isLarge { _ = madvise(start, bytes, MADV_HUGEPAGE) }
        pointer = start.bindMemory(to: Float.self, capacity: max(count, 1))
    }

    deinit { munmap(base, mapped) }
}

extension UnsafeMutableRawPointer {
    fileprivate func alignedUp(toMultipleOf alignment: Int) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(
            bitPattern: (UInt(bitPattern: self) + UInt(alignment) - 1) & ~UInt(alignment - 1)) ?? self
    }
}
