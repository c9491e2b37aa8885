import Testing

@testable import Collectives

/// 100,000 gradients that become final in five parts.
struct TuningSteps {
    static let count = 100_000
    static let candidates = BucketSchedule.candidates(bytes: 4 * count)
    let store = FloatStore([Float](repeating: 0, count: count))
    let reducer: GradientReducer
    private let communicator: any Communicator

    init(_ communicator: any Communicator, bucketMiB: Double? = nil, order: GradientReducer.Order = .any) {
        self.communicator = communicator
        reducer = GradientReducer(
            communicator: communicator, gradients: store.values, owner: store, bucketMiB: bucketMiB,
            order: order)
    }

    /// Fills the gradients with small whole numbers, exact in every order, and reduces them.
    @discardableResult
    func run(step: Int) throws -> ReductionTimes {
        for index in store.values.indices {
            store.values[index] = Float((index % 11 + step) * (communicator.rank + 1))
        }
        for begin in stride(from: 0, to: Self.count, by: 20_000) {
            try reducer.completed(begin..<begin + 20_000)
            try reducer.poll()
        }
        return try reducer.finish()
    }

    /// What `run` leaves.
    static func sums(step: Int, ranks: Int) -> [Float] {
        (0..<count).map { Float(($0 % 11 + step) * ranks * (ranks + 1) / 2) }
    }
}

@Suite struct BucketTuningTests {
    @Test(arguments: [(2, GradientReducer.Order.any), (3, .any), (4, .tree)])
    func allRanksUseTheSameBucketsAndSumTheSame(ranks: Int, order: GradientReducer.Order) throws {
        let results = ThreadedRanks.run(ranks) {
            communicator -> (BucketTuning?, BackwardProfile, Int, Int, [Float], [Float]) in
            let steps = TuningSteps(communicator, order: order)
            try steps.run(step: 1)
            let profile = steps.reducer.profile
            let tuning = try steps.reducer.tuneBuckets()
            let times = try steps.run(step: 2)
            let fixed = TuningSteps(communicator, bucketMiB: 0.1, order: order)
            try fixed.run(step: 2)
            return (
                tuning, profile, steps.reducer.bucketCount, times.buckets, Array(steps.store.values),
                Array(fixed.store.values)
            )
        }
        let chosen = try results[0].get().2
        for result in results {
            let (tuning, _, bucket, buckets, sums, fixed) = try result.get()
            #expect(bucket == chosen && tuning?.chosen == 4 * chosen)
            #expect(TuningSteps.candidates.contains(4 * bucket))
            #expect(buckets == (TuningSteps.count + bucket - 1) / bucket)
            // An eighth of the gradients, at least 256 KiB.
            #expect(tuning?.before == 256 << 10)
            #expect(tuning?.timings.points.isEmpty == false)
            #expect(sums == TuningSteps.sums(step: 2, ranks: ranks) && sums == fixed)
        }
        // What rank 0's backward and the times, the same on all ranks, make the best.
        let first = try results[0].get()
        let tuning = try #require(first.0)
        let schedule = BucketSchedule(profile: first.1, cost: .measured(tuning.timings))
        let best = schedule.best(of: TuningSteps.candidates)
        let stays =
            schedule.exposedSeconds(bucketBytes: 256 << 10) <= schedule.exposedSeconds(bucketBytes: best)
        #expect(tuning.chosen == (stays ? 256 << 10 : best))
        #expect(schedule.exposedSeconds(bucketBytes: tuning.chosen) == tuning.exposedChosen)
        for result in results { #expect(try result.get().0?.timings == tuning.timings) }
    }

    @Test func theBudgetEndsTheTiming() throws {
        let results = ThreadedRanks.run(2) { communicator -> Int? in
            let steps = TuningSteps(communicator)
            try steps.run(step: 1)
            return try steps.reducer.tuneBuckets(budget: 0)?.timings.points.count
        }
        for result in results { #expect(try result.get() == 1) }
    }

    @Test func aloneThereIsNothingToChoose() throws {
        let steps = TuningSteps(SoloCommunicator())
        let before = steps.reducer.bucketCount
        try steps.run(step: 1)
        #expect(try steps.reducer.tuneBuckets() == nil)
        #expect(steps.reducer.bucketCount == before)
        // When backward completed what is known of one rank too.
        #expect(steps.reducer.profile.marks.map(\.bytes) == [80_000, 160_000, 240_000, 320_000, 400_000])
        #expect(steps.reducer.profile.endSeconds >= steps.reducer.profile.marks[4].seconds)
    }

    @Test(arguments: [2, 4]) func underMpirun(ranks: Int) throws {
        let run = try Mpirun(ranks, .bucketTuning)
        #expect(run.status == 0, "\(run.output)")
        let chosen = run.output.split(separator: "\n").filter { $0.contains(" reduces in ") }
        #expect(chosen.count == ranks, "\(run.output)")
        let sizes = Set(chosen.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } })
        #expect(sizes.count == 1 && sizes.isSubset(of: TuningSteps.candidates), "\(run.output)")
    }
}
