import Collectives
import Engine

/// The engine's exchange of slot values over the ranks of a communicator. Rank r owns the slots that follow
/// those of rank r - 1, so that the ranks' values one after the other are in slot order.
public final class RankExchange: SlotExchange {
    private let communicator: any Communicator
    /// Seconds spent in exchanges so far, waiting for slower ranks included.
    public private(set) var seconds = 0.0

    public init(_ communicator: any Communicator) { self.communicator = communicator }

    public func allSlots(_ local: UnsafeBufferPointer<Double>, into all: UnsafeMutableBufferPointer<Double>)
        throws
    {
        let begin = ContinuousClock.now
        try communicator.allGather(local, into: all)
        if communicator.size > 1 { seconds += begin.secondsToNow }
    }

    public func startAllSlots(_ local: [Double], count: Int) throws -> any SlotsUnderWay {
        let begin = ContinuousClock.now
        defer { if communicator.size > 1 { seconds += begin.secondsToNow } }
        return try RankSlots(local, count: count, communicator) { [unowned self] in seconds += $0 }
    }
}
