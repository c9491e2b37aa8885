extension Communicator {
    /// Seconds of `body`, a collective operation, after one run to warm up: the median over `repeats`, of
    /// each the time of the slowest rank. The same on all ranks. Collective.
    /// - Parameter runs: of `body` in a repeat, whose mean is taken: more than 1 for what takes less than a
    ///   barrier.
    public func seconds(
        repeats: Int, runs: Int = 1, _ body: () throws(MPIError) -> Void
    ) throws(MPIError) -> Double {
        precondition(repeats > 0 && runs > 0, "\(repeats) repeats of \(runs) runs")
        try body()
        var times: [Double] = []
        for _ in 0..<repeats {
            try barrier()
            let begin = ContinuousClock.now
            for _ in 0..<runs { try body() }
            times.append(begin.secondsToNow / Double(runs))
        }
        try allReduce(&times, .maximum)
        times.sort()
        return (times[(repeats - 1) / 2] + times[repeats / 2]) / 2
    }
}
