import Foundation

extension CollectiveCheck {
    /// Latency and bandwidth between the ranks, a line each; times are those of the slowest rank.
    static func timings(on communicator: MPICommunicator) throws -> [String] {
        let large = 4 << 20
        let store = FloatStore([Float](repeating: 0, count: large / 4))
        let other = FloatStore([Float](repeating: 0, count: large / 4))
        let two = 0..<2
        let hop = try seconds(on: communicator, repeats: 200) {
            try communicator.shiftAround(store.values.extracting(two), into: other.values.extracting(two))
        }
        let shift = try seconds(on: communicator, repeats: 5) {
            try communicator.shiftAround(store.values, into: other.values)
        }
        var sums: [Double] = [1]
        let short = try seconds(on: communicator, repeats: 200) {
            sums[0] = 1
            try communicator.allReduce(&sums, .sum)
        }
        let long = try seconds(on: communicator, repeats: 5) {
            try communicator.allReduce(store.values, .sum)
        }
        let started = try seconds(on: communicator, repeats: 5) {
            try communicator.startAllReduce(store.values, .sum, owner: store).wait()
        }
        return [
            "ring, 8 bytes to the next rank: \(microseconds(hop))",
            "ring, 4 MiB to the next rank: \(microseconds(shift)), \(gigabytes(large, shift)) a rank",
            "all-reduce, 8 bytes: \(microseconds(short))",
            "all-reduce, 4 MiB: \(microseconds(long)), \(gigabytes(large, long))",
            "non-blocking all-reduce, 4 MiB: \(microseconds(started)), \(gigabytes(large, started))",
        ]
    }

    /// Mean time of `body` after one run to warm up, on the rank where it is the longest.
    private static func seconds(
        on communicator: MPICommunicator, repeats: Int, _ body: () throws -> Void
    ) throws -> Double {
        try body()
        try communicator.barrier()
        let begin = ContinuousClock.now
        for _ in 0..<repeats { try body() }
        return try communicator.allReduce(begin.secondsToNow / Double(repeats), .maximum)
    }

    private static func microseconds(_ seconds: Double) -> String {
        String(format: "%.1f microseconds", seconds * 1e6)
    }

    private static func gigabytes(_ bytes: Int, _ seconds: Double) -> String {
        String(format: "%.2f GB/s", Double(bytes) / seconds / 1e9)
    }
}
