import Engine

/// Notes what goes through another exchange.
final class CountingExchange: SlotExchange {
    private let inner: any SlotExchange
    /// Bytes that this rank gave, an exchange an element.
    private(set) var bytes: [Int] = []

    init(_ inner: any SlotExchange) { self.inner = inner }

    func allSlots(_ local: UnsafeBufferPointer<Double>, into all: UnsafeMutableBufferPointer<Double>) throws {
        bytes.append(local.count * MemoryLayout<Double>.stride)
        try inner.allSlots(local, into: all)
    }

    /// Begins anew.
    func reset() { bytes = [] }
}
