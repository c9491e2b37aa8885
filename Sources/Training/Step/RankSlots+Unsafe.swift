import Collectives
import Engine

/// Slot values under way between the ranks.
final class RankSlots: SlotsUnderWay {
    private final class Store {
        let local, all: UnsafeMutableBufferPointer<Double>

        init(_ values: [Double], count: Int) {
            local = .allocate(capacity: values.count)
            all = .allocate(capacity: count)
            _ = local.initialize(from: values)
            all.initialize(repeating: 0)
        }

        deinit {
            local.deallocate()
            all.deallocate()
        }
    }

    private let store: Store
    private let request: any Request
    private let waited: (_ seconds: Double) -> Void

    /// - Parameter waited: Told how long `values` took where there are other ranks.
    init(
        _ values: [Double], count: Int, _ communicator: any Communicator,
        waited: @escaping (_ seconds: Double) -> Void
    ) throws {
        store = Store(values, count: count)
        request = try communicator.startAllGather(
            UnsafeBufferPointer(store.local), into: store.all, owner: store)
        self.waited = communicator.size > 1 ? waited : { _ in }
    }

    func values() throws -> [Double] {
        let begin = ContinuousClock.now
        defer { waited(begin.secondsToNow) }
        try request.wait()
        return Array(store.all)
    }
}
