import Collectives
import Foundation

/// Ranks that are threads of this process: every operation copies through shared memory between two barriers.
final class ThreadedRanks: @unchecked Sendable {
    let size: Int
    /// Added to every sum, to see that checks notice.
    let sumError: Double
    private let condition = NSCondition()
    private var arrived = 0
    private var generation = 0
    private var posted: [Data]
    private var groups: [[Int]: ThreadedRanks] = [:]

    init(size: Int, sumError: Double = 0) {
        self.size = size
        self.sumError = sumError
        posted = Array(repeating: Data(), count: size)
    }

    /// What `body` returns or throws on each rank, by rank.
    static func run<Value: Sendable>(
        _ size: Int, sumError: Double = 0, _ body: @escaping @Sendable (any Communicator) throws -> Value
    ) -> [Result<Value, any Error>] {
        let ranks = ThreadedRanks(size: size, sumError: sumError)
        let results = Results<Value>(size: size)
        let group = DispatchGroup()
        for rank in 0..<size {
            group.enter()
            Thread.detachNewThread {
                results.set(rank, Result { try body(ThreadedCommunicator(rank: rank, ranks: ranks)) })
                group.leave()
            }
        }
        group.wait()
        return results.all
    }

    func barrier() {
        condition.lock()
        defer { condition.unlock() }
        arrived += 1
        let own = generation
        if arrived == size {
            arrived = 0
            generation += 1
            condition.broadcast()
        }
        while own == generation { condition.wait() }
    }

    /// The same for all that ask with the same members.
    func group(of members: [Int]) -> ThreadedRanks {
        condition.lock()
        defer { condition.unlock() }
        let group = groups[members] ?? ThreadedRanks(size: members.count, sumError: sumError)
        groups[members] = group
        return group
    }

    func forgetGroups() {
        condition.lock()
        groups = [:]
        condition.unlock()
    }

    /// The bytes that every rank gives, by rank.
    func exchange(_ rank: Int, _ bytes: Data) -> [Data] {
        condition.lock()
        posted[rank] = bytes
        condition.unlock()
        barrier()
        condition.lock()
        let all = posted
        condition.unlock()
        barrier()
        return all
    }
}

private final class Results<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var values: [Int: Result<Value, any Error>] = [:]
    private let size: Int

    init(size: Int) { self.size = size }

    func set(_ rank: Int, _ value: Result<Value, any Error>) { lock.withLock { values[rank] = value } }

    var all: [Result<Value, any Error>] { lock.withLock { (0..<size).compactMap { values[$0] } } }
}

final class ThreadedCommunicator: Communicator {
    let rank: Int
    let ranks: ThreadedRanks

    init(rank: Int, ranks: ThreadedRanks) {
        self.rank = rank
        self.ranks = ranks
    }

    var size: Int { ranks.size }
    var hostNames: [String] { (0..<size).map { "node\($0)" } }
    var ranksOnNode: [Int] { Array(0..<size) }

    func allReduce<Element: Reducible>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
    ) throws(MPIError) {
        let all = ranks.exchange(rank, Data(buffer: buffer)).map { data in
            data.withUnsafeBytes { Array($0.bindMemory(to: Element.self)) }
        }
        for index in buffer.indices {
            let values = all.map { $0[index] }
            switch reduction {
            case .sum: buffer[index] = values.reduce(Element(exactly: Int(ranks.sumError)) ?? 0, +)
            case .minimum: buffer[index] = values.min() ?? 0
            case .maximum: buffer[index] = values.max() ?? 0
            }
        }
    }

    func startAllReduce<Element: Reducible>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction, owner: AnyObject
    ) throws(MPIError) -> any Request {
        try allReduce(buffer, reduction)
        return FakeRequest(testsUntilComplete: 0)
    }

    func startPartwiseSum<Sum: PartwiseSum>(_ sum: Sum) throws(MPIError) -> any Request {
        let part = sum.part(ranks: size)
        let partBytes = part * MemoryLayout<Sum.Element>.stride
        var own = Data(count: size * partBytes)
        own.withUnsafeMutableBytes { sum.pack(into: $0.bindMemory(to: Sum.Element.self)) }
        let (begin, end) = (rank * partBytes, (rank + 1) * partBytes)
        var parts = ranks.exchange(rank, own).reduce(Data()) { $0 + $1[begin..<end] }
        parts.withUnsafeMutableBytes { sum.add($0.bindMemory(to: Sum.Element.self), part: part) }
        var sums = ranks.exchange(rank, parts.prefix(partBytes)).reduce(Data(), +)
        sums.withUnsafeMutableBytes {
            sum.unpack(
                UnsafeMutableBufferPointer(rebasing: $0.bindMemory(to: Sum.Element.self)[0..<sum.count]))
        }
        return FakeRequest(testsUntilComplete: 0)
    }

    func allGather<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>
    ) throws(MPIError) {
        let joined = ranks.exchange(rank, Data(buffer: local)).reduce(Data(), +)
        joined.withUnsafeBytes { bytes in _ = all.update(fromContentsOf: bytes.bindMemory(to: Element.self)) }
    }

    func startAllGather<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>, owner: AnyObject
    ) throws(MPIError) -> any Request {
        try allGather(local, into: all)
        return FakeRequest(testsUntilComplete: 0)
    }

    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MPIError) {
        bytes.copyBytes(from: ranks.exchange(rank, Data(bytes))[root])
    }

    func gather(_ bytes: [UInt8], to root: Int) throws(MPIError) -> [[UInt8]] {
        let all = ranks.exchange(rank, Data(bytes)).map { Array($0) }
        return rank == root ? all : []
    }

    func split(color: Int, key: Int) throws(MPIError) -> any Communicator {
        let words = [Int64(color), Int64(key)]
        let all = ranks.exchange(rank, words.withUnsafeBytes { Data($0) }).map { data in
            data.withUnsafeBytes { Array($0.bindMemory(to: Int64.self)) }
        }
        let members = all.indices.filter { all[$0][0] == Int64(color) }.sorted {
            (all[$0][1], $0) < (all[$1][1], $1)
        }
        let group = ranks.group(of: members)
        // Nobody asks for another group before all have this one.
        ranks.barrier()
        ranks.forgetGroups()
        ranks.barrier()
        return ThreadedCommunicator(rank: members.firstIndex(of: rank) ?? -1, ranks: group)
    }

    func barrier() throws(MPIError) { ranks.barrier() }
}

/// Complete at the given test, or when it is waited for.
final class FakeRequest: Request {
    var testsUntilComplete: Int
    private(set) var waits = 0

    init(testsUntilComplete: Int) { self.testsUntilComplete = testsUntilComplete }

    func test() throws(MPIError) -> Bool {
        testsUntilComplete -= 1
        return testsUntilComplete <= 0
    }

    func wait() throws(MPIError) {
        waits += 1
        testsUntilComplete = 0
    }
}
