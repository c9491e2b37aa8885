/// A check of every collective operation on the ranks that there are.
public enum CollectiveCheck {
    /// Carries out every operation with values that depend on the rank, compares the results with what they
    /// must be, exactly, and measures latency and bandwidth. Collective; some seconds at the most.
    ///
    /// Returns what was found, a line each. Throws a `RankFailure` around a `CollectiveCheckError` if a
    /// result is wrong on any rank, and an `MPIError` if a call fails.
    public static func run(on communicator: any Communicator) throws -> [String] {
        let check = Check(communicator: communicator)
        try check.everything()
        var lines = [
            "\(communicator.size) rank(s) on \(communicator.hostNames.uniqued().joined(separator: ", "))"
        ]
        lines.append(
            """
            correct: all-reduce, non-blocking all-reduce, tree sum, bfloat16 sum, all-gather, broadcast, gather, \
            split, barrier, buckets
            """
        )
        if let mpi = communicator as? MPICommunicator {
            let whole = mpi.chunkBytes
            defer { mpi.chunkBytes = whole }
            // Neither a divisor of the counts nor of an element.
            mpi.chunkBytes = 100
            try check.everything()
            lines.append("correct: the same in pieces of \(mpi.chunkBytes) bytes")
            mpi.chunkBytes = whole
            if mpi.size > 1 { lines += try timings(on: mpi) }
        }
        return lines
    }
}

/// An operation that gave another result than it must.
public struct CollectiveCheckError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The operation, such as "all-gather of Float".
    public let operation: String
    /// The element's place in the result, from 0.
    public let index: Int
    /// The element that this rank got, as text.
    public let found: String
    /// The element that it should have got, as text.
    public let expected: String

    public var description: String {
        "\(operation) gave \(found) as element \(index); \(expected) was expected."
    }
}

private struct Check {
    let communicator: any Communicator

    private var rank: Int { communicator.rank }
    private var size: Int { communicator.size }

    func everything() throws {
        try environment()
        for count in [1, 1001] {
            try allReduce(Float.self, count: count)
            try allReduce(Double.self, count: count)
            try allReduce(Int64.self, count: count)
            try overlappingAllReduces(count: count)
            try treeSums(count: count)
            try bfloat16Sums(count: count)
            try allGather(count: count) { Double($0) + 0.5 }
            try allGather(count: count) { Int64($0) - 7 }
            try allGather(count: count) { UInt8(truncatingIfNeeded: $0) }
        }
        for root in 0..<size {
            try broadcast(from: root)
            try gather(to: root)
        }
        try allGatherVariable()
        try split()
        try communicator.barrier()
        try failingTogether()
        try buckets()
    }

    private func environment() throws {
        let ranks = try communicator.allGather([Int64(rank)])
        try compare("rank", ranks, (0..<size).map(Int64.init))
        try compare("ranks on node", [communicator.ranksOnNode.contains(rank)], [true])
        try compare("host names", [communicator.hostNames.count], [size])
    }

    /// Rank r's element i is (r + 1) (i mod 7 + 1): small whole numbers, exact in every type and order.
    private func allReduce<Element: Reducible>(_ type: Element.Type, count: Int) throws {
        let scales: [(Reduction, Int)] = [(.sum, size * (size + 1) / 2), (.minimum, 1), (.maximum, size)]
        for (reduction, scale) in scales {
            var values: [Element] = pattern(count, scale: rank + 1)
            try communicator.allReduce(&values, reduction)
            try compare("\(reduction) of \(type)", values, pattern(count, scale: scale))
        }
    }

    private func overlappingAllReduces(count: Int) throws {
        let first = FloatStore(pattern(count, scale: rank + 1))
        let second = FloatStore(pattern(count, scale: 2 * rank + 1))
        let requests = [
            try communicator.startAllReduce(first.values, .sum, owner: first),
            try communicator.startAllReduce(second.values, .maximum, owner: second),
        ]
        while try !requests[1].test() {}
        try requests[0].wait()
        try compare("non-blocking sum", Array(first.values), pattern(count, scale: size * (size + 1) / 2))
        try compare("non-blocking maximum", Array(second.values), pattern(count, scale: 2 * size - 1))
    }

    /// Thirds do not add up alike in every order: only the tree's gives these bits.
    private func treeSums(count: Int) throws {
        guard size & (size - 1) == 0 else { return }
        func values(of rank: Int, _ scale: Float) -> [Float] {
            (0..<count).map { scale * Float(($0 % 7 + 1) * (rank * rank + 1)) / 3 }
        }
        func sum(_ ranks: Range<Int>, _ scale: Float) -> [Float] {
            guard ranks.count > 1 else { return values(of: ranks.lowerBound, scale) }
            let middle = (ranks.lowerBound + ranks.upperBound) / 2
            return zip(sum(ranks.lowerBound..<middle, scale), sum(middle..<ranks.upperBound, scale)).map(+)
        }
        let stores = [Float(1), 0.7].map { FloatStore(values(of: rank, $0)) }
        let requests = [
            try communicator.startTreeSum(stores[0].values, owner: stores[0]),
            try communicator.startTreeSum(stores[1].values, owner: stores[1]),
        ]
        while try !requests[0].test() {}
        try requests[1].wait()
        try compare("tree sum", Array(stores[0].values), sum(0..<size, 1))
        try compare("tree sum beside another", Array(stores[1].values), sum(0..<size, 0.7))
    }

    /// Small whole numbers, each on one rank, which bfloat16 holds exactly.
    private func bfloat16Sums(count: Int) throws {
        let all: [Float] = pattern(count, scale: 1)
        let store = FloatStore(all.enumerated().map { $0 % size == rank ? $1 : 0 })
        let residual = BucketResidual(count: count, ranks: size)
        try communicator.startBFloat16Sum(store.values, residual: residual, owner: store).wait()
        try compare("bfloat16 sum", Array(store.values), all)
    }

    private func allGather<Element: WireElement & Equatable & ExpressibleByIntegerLiteral>(
        count: Int, _ value: (Int) -> Element
    ) throws {
        let all = try communicator.allGather((0..<count).map { value(rank * 1000 + $0) })
        let expected = (0..<size).flatMap { rank in (0..<count).map { value(rank * 1000 + $0) } }
        try compare("all-gather of \(Element.self)", all, expected)
    }

    private func broadcast(from root: Int) throws {
        let own = (0..<333).map { UInt8(truncatingIfNeeded: $0 + rank) }
        let expected = (0..<333).map { UInt8(truncatingIfNeeded: $0 + root) }
        try compare("broadcast from \(root)", try communicator.broadcast(own, from: root), expected)
        let name = "rank \(root)"
        try compare("text from \(root)", [try communicator.broadcast("rank \(rank)", from: root)], [name])
    }

    /// Rank r gives 150 r bytes, so that rank 0 gives none.
    private func gather(to root: Int) throws {
        let all = try communicator.gather(bytes(ofRank: rank), to: root)
        try compare("gather to \(root)", all, rank == root ? (0..<size).map(bytes(ofRank:)) : [])
    }

    private func allGatherVariable() throws {
        let all = try communicator.allGatherVariable(bytes(ofRank: rank))
        try compare("variable all-gather", all, (0..<size).map(bytes(ofRank:)))
    }

    /// Every other rank, in reverse order.
    private func split() throws {
        let group = try communicator.split(color: rank % 2, key: -rank)
        let own = (0..<size).filter { $0 % 2 == rank % 2 }.reversed().map(Int64.init)
        try compare("ranks of a group", try group.allGather([Int64(rank)]), own)
        let place = [group.rank, group.size, group.hostNames.count]
        try compare("place in a group", place, [own.firstIndex(of: Int64(rank)) ?? -1, own.count, own.count])
        try compare("sum in a group", [try group.allReduce(Int64(rank), .sum)], [own.reduce(0, +)])
    }

    private func bytes(ofRank rank: Int) -> [UInt8] {
        (0..<150 * rank).map { UInt8(truncatingIfNeeded: $0 * (rank + 3)) }
    }

    /// The last rank throws; with several ranks, all must learn of it.
    private func failingTogether() throws {
        let last = size - 1
        let error = CollectiveCheckError(
            operation: "nothing", index: 0, found: "nothing", expected: "nothing")
        var found = "no failure"
        do {
            try communicator.together { if rank == last { throw error } }
        } catch let failure as RankFailure {
            found = "\(failure.failing) of \(failure.size): \(failure.sentence)"
        } catch let own as CollectiveCheckError where size == 1 {
            found = "[0] of 1: \(own)"
        }
        try compare("failing together", [found], ["[\(last)] of \(size): \(error)"])
    }

    /// Two steps with buckets of 64 values, ranges that do not match them, and a short last bucket.
    private func buckets() throws {
        let count = 1000
        let store = FloatStore([Float](repeating: 0, count: count))
        let reducer = GradientReducer(
            communicator: communicator, gradients: store.values, owner: store, bucketMiB: 256.0 / 1_048_576)
        for step in 1...2 {
            _ = store.values.update(fromContentsOf: pattern(count, scale: step * (rank + 1)) as [Float])
            for begin in stride(from: 0, to: count, by: 150) {
                try reducer.completed(begin..<min(begin + 150, count))
                try reducer.poll()
            }
            let times = try reducer.finish()
            let sum: [Float] = pattern(count, scale: step * size * (size + 1) / 2)
            try compare("buckets in step \(step)", Array(store.values), sum)
            try compare("number of buckets", [times.buckets], [size == 1 ? 0 : 16])
        }
    }

    private func pattern<Element: Numeric>(_ count: Int, scale: Int) -> [Element] {
        (0..<count).map { Element(exactly: ($0 % 7 + 1) * scale) ?? 0 }
    }

    /// Throws on all ranks if the results differ on any.
    private func compare<Element: Equatable>(
        _ operation: String, _ found: [Element], _ expected: [Element]
    ) throws {
        try communicator.together {
            guard found != expected else { return }
            let index =
                zip(found, expected).enumerated().first { $1.0 != $1.1 }?.offset
                ?? min(found.count, expected.count)
            throw CollectiveCheckError(
                operation: operation, index: index, found: Self.text(found, index),
                expected: Self.text(expected, index))
        }
    }

    private static func text<Element>(_ values: [Element], _ index: Int) -> String {
        index < values.count ? "\(values[index])" : "nothing"
    }
}

extension [String] {
    fileprivate func uniqued() -> [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
