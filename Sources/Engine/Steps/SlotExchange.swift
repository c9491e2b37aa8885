/// All that the engine asks of other ranks.
///
/// Statistics and loss sums are formed a slot at a time and merged in slot order on every rank, so that they
/// depend neither on the number of ranks nor on who adds first.
public protocol SlotExchange: AnyObject {
    /// The values of every slot of the global batch, in slot order, on all ranks.
    ///
    /// - Parameters:
    ///   - local: This rank's slots, the same number of values each.
    ///   - all: Room for all slots.
    func allSlots(_ local: UnsafeBufferPointer<Double>, into all: UnsafeMutableBufferPointer<Double>) throws

    /// Starts `allSlots` and returns, so that computation goes on meanwhile.
    ///
    /// - Parameters:
    ///   - local: This rank's slots, the same number of values each.
    ///   - count: Values of all slots.
    func startAllSlots(_ local: [Double], count: Int) throws -> any SlotsUnderWay
}

/// Values of all slots that are on their way.
public protocol SlotsUnderWay: AnyObject {
    /// They, in slot order; waits for them. To be called once.
    func values() throws -> [Double]
}

/// The exchange of a rank that is alone.
public final class SoloExchange: SlotExchange {
    public init() {}

    public func allSlots(_ local: UnsafeBufferPointer<Double>, into all: UnsafeMutableBufferPointer<Double>)
        throws
    {
        precondition(
            local.count == all.count, "\(local.count) values are not those of all slots, \(all.count)")
        _ = all.update(from: local)
    }
}

/// Values that are there.
private final class SlotsArrived: SlotsUnderWay {
    private let arrived: [Double]

    package init(_ arrived: [Double]) { self.arrived = arrived }

    package func values() -> [Double] { arrived }
}

extension SlotExchange {
    /// Does all of it at once.
    public func startAllSlots(_ local: [Double], count: Int) throws -> any SlotsUnderWay {
        SlotsArrived(try allSlots(local, globalSlots: count, localSlots: local.count))
    }

    package func allSlots(_ local: [Double], globalSlots: Int, localSlots: Int) throws -> [Double] {
        try local.withUnsafeBufferPointer { source in
            try [Double](unsafeUninitializedCapacity: local.count / localSlots * globalSlots) {
                target, count in
                let all = UnsafeMutableBufferPointer(
                    rebasing: target[..<(local.count / localSlots * globalSlots)])
                all.initialize(repeating: 0)
                try allSlots(source, into: all)
                count = all.count
            }
        }
    }
}
