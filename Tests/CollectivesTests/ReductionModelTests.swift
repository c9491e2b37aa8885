import Testing

@testable import Collectives

/// Costs and fits against numbers computed by hand.
@Suite struct ReductionCostTests {
    static let link = Link(latencySeconds: 0.001, bytesPerSecond: 1e6)

    @Test(arguments: [
        // 2 (N - 1) or 2 ceil(log2 N) messages, and 2 (N - 1) / N bytes a byte, 1000 bytes in a millisecond.
        (ReductionAlgorithm.ring, 2, 0.002 + 0.001), (.tree, 2, 0.002 + 0.001),
        (.ring, 4, 0.006 + 0.0015), (.tree, 4, 0.004 + 0.0015),
        (.ring, 5, 0.008 + 0.0016), (.tree, 5, 0.006 + 0.0016),
        (.ring, 1, 0), (.tree, 1, 0),
    ]) func allReduce(algorithm: ReductionAlgorithm, ranks: Int, expected: Double) {
        let cost = ReductionCost.modelled(algorithm, ranks: ranks, Self.link)
        #expect(abs(cost.seconds(bytes: 1000) - expected) < 1e-12)
    }

    @Test func allGatherReceivesWhatTheOthersGive() {
        // 3 messages among 5 to 8 ranks, and 100 bytes from each of the others.
        #expect(abs(Self.link.allGatherSeconds(bytes: 100, ranks: 8) - (0.003 + 0.0007)) < 1e-12)
        #expect(abs(Self.link.allGatherSeconds(bytes: 100, ranks: 5) - (0.003 + 0.0004)) < 1e-12)
        #expect(Self.link.allGatherSeconds(bytes: 100, ranks: 1) == 0)
    }

    @Test func timesBetweenSizesLieOnLines() {
        let sizes = TimedSizes([
            .init(bytes: 400, seconds: 4), .init(bytes: 100, seconds: 2), .init(bytes: 200, seconds: 3),
        ])
        #expect(sizes.points.map(\.bytes) == [100, 200, 400])
        let expected = [(1, 2.0), (100, 2), (150, 2.5), (200, 3), (300, 3.5), (400, 4), (600, 5)]
        for (bytes, seconds) in expected { #expect(sizes.seconds(bytes: bytes) == seconds) }
        // A faster last size does not make larger ones faster still.
        let falling = TimedSizes([.init(bytes: 1, seconds: 2), .init(bytes: 2, seconds: 1)])
        #expect(falling.seconds(bytes: 100) == 1)
        #expect(TimedSizes([.init(bytes: 10, seconds: 3)]).seconds(bytes: 20) == 6)
    }

    @Test func fitFindsTheLine() {
        let points = stride(from: 6, through: 24, by: 2).map { exponent in
            TimedSizes.Point(bytes: 1 << exponent, seconds: 2e-6 + 1e-9 * Double(1 << exponent))
        }
        let fit = LinkFit(TimedSizes(points))
        #expect(abs(fit.intercept / 2e-6 - 1) < 1e-9 && abs(fit.slope / 1e-9 - 1) < 1e-9)
        #expect(fit.relativeError < 1e-9)
        #expect(abs(fit.link.bytesPerSecond / 1e9 - 1) < 1e-9)
        // As an all-reduce of 4 ranks it is one of 6 or 4 messages, each byte sent 1.5 times.
        let ring = fit.link(reducingBy: .ring, ranks: 4)
        #expect(abs(ring.latencySeconds * 6 / 2e-6 - 1) < 1e-9)
        #expect(abs(ring.bytesPerSecond / 1.5e9 - 1) < 1e-9)
        #expect(abs(fit.link(reducingBy: .tree, ranks: 4).latencySeconds * 4 / 2e-6 - 1) < 1e-9)
        // The cost by the link is the time that was fitted.
        let cost = ReductionCost.modelled(.ring, ranks: 4, ring)
        #expect(abs(cost.seconds(bytes: 4096) / (2e-6 + 4.096e-6) - 1) < 1e-9)
    }

    @Test func fitOfNoisyTimesTellsItsError() {
        // Five sizes, each 10 % off, up and down.
        let points = [1000, 2000, 4000, 8000, 16000].enumerated().map { index, bytes in
            TimedSizes.Point(
                bytes: bytes, seconds: (1e-6 + 1e-9 * Double(bytes)) * (index % 2 == 0 ? 1.1 : 0.9))
        }
        let fit = LinkFit(TimedSizes(points))
        #expect(abs(fit.slope / 1e-9 - 1) < 0.2)
        #expect(fit.relativeError > 0.05 && fit.relativeError < 0.1)
    }

    @Test func fitHasNoNegativeTimes() {
        // Weights 1/4 and 1: (2/4 + 1) / (1/4 + 1) = 1.2, off by -40 % and 20 %.
        let falling = LinkFit(TimedSizes([.init(bytes: 100, seconds: 2), .init(bytes: 200, seconds: 1)]))
        #expect(abs(falling.intercept - 1.2) < 1e-12 && falling.slope == 0)
        #expect(abs(falling.relativeError - 0.1.squareRoot()) < 1e-12)
        // The line through these is 3 n - 1; through 0, with weights 1/4 and 1/25: (1/2 + 2/5) / (1/4 +
        // 4/25).
        let steep = LinkFit(TimedSizes([.init(bytes: 1, seconds: 2), .init(bytes: 2, seconds: 5)]))
        #expect(steep.intercept == 0 && abs(steep.slope - 0.9 / 0.41) < 1e-12)
        let one = LinkFit(TimedSizes([.init(bytes: 8, seconds: 2)]))
        #expect(one.intercept == 2 && one.slope == 0 && one.relativeError == 0)
    }
}

/// Schedules against numbers computed by hand: a bucket of n bytes takes 0.5 + 0.005 n seconds.
@Suite struct BucketScheduleTests {
    static let cost = ReductionCost.measured(
        TimedSizes([
            .init(bytes: 50, seconds: 0.75), .init(bytes: 100, seconds: 1), .init(bytes: 400, seconds: 2.5),
        ]))

    private func profile(_ marks: [(Int, Double)], end: Double) -> BackwardProfile {
        BackwardProfile(marks: marks.map { .init(bytes: $0.0, seconds: $0.1) }, endSeconds: end)
    }

    @Test func aSizeBetweenIsBest() {
        let schedule = BucketSchedule(
            profile: profile([(100, 0), (200, 1), (400, 3)], end: 3), cost: Self.cost)
        // Ready at 3, done at 5.5.
        #expect(schedule.exposedSeconds(bucketBytes: 400) == 2.5)
        #expect(schedule.exposedSeconds(bucketBytes: 1000) == 2.5)
        // Ready at 1, done at 2.5; ready at 3, done at 4.5.
        #expect(schedule.exposedSeconds(bucketBytes: 200) == 1.5)
        // Done at 1, 2, 4 and, after the third, 5.
        #expect(schedule.exposedSeconds(bucketBytes: 100) == 2)
        // Of 300 ready at 3 and 100: done at 5 and 6.
        #expect(schedule.exposedSeconds(bucketBytes: 300) == 3)
        #expect(schedule.best(of: [100, 200, 400]) == 200)
        #expect(schedule.serialSeconds(bucketBytes: 200) == 3)
        #expect(schedule.serialSeconds(bucketBytes: 300) == 3)
        #expect(schedule.serialSeconds(bucketBytes: 400) == 2.5)
    }

    @Test func whereAllIsHiddenTheFewestMessagesAreBest() {
        let schedule = BucketSchedule(
            profile: profile([(100, 0), (200, 1), (400, 3)], end: 10), cost: Self.cost)
        for bytes in [100, 200, 400] { #expect(schedule.exposedSeconds(bucketBytes: bytes) == 0) }
        #expect(schedule.best(of: [100, 200, 400]) == 400)
        // Less than a thousandth of backward is not worth a message: 1 s of 1000, but 1 s of 900 is.
        let late = { (end: Double) in
            BucketSchedule(profile: profile([(200, 0), (400, end)], end: end), cost: Self.cost)
        }
        #expect(late(1000).exposedSeconds(bucketBytes: 400) == 2.5)
        #expect(late(1000).exposedSeconds(bucketBytes: 200) == 1.5)
        #expect(late(1000).best(of: [200, 400]) == 400)
        #expect(late(900).best(of: [200, 400]) == 200)
    }

    @Test func whereNothingIsHiddenTheReductionIsExposed() {
        let schedule = BucketSchedule(profile: profile([(400, 0)], end: 0), cost: Self.cost)
        for bytes in [100, 200, 300, 400] {
            #expect(
                schedule.exposedSeconds(bucketBytes: bytes) == schedule.serialSeconds(bucketBytes: bytes))
        }
        #expect(schedule.best(of: [100, 200, 400]) == 400)
    }

    @Test func aBucketWaitsForTheOneBefore() {
        let schedule = BucketSchedule(
            profile: profile([(100, 0), (200, 0.25), (300, 0.5), (400, 0.75)], end: 0.75), cost: Self.cost)
        // Done at 1, 2, 3 and 4.
        #expect(schedule.exposedSeconds(bucketBytes: 100) == 3.25)
    }

    @Test func gradientsAreReadyAtTheMarkThatHoldsThem() {
        let three = profile([(100, 0), (200, 1), (400, 3)], end: 5)
        #expect(three.bytes == 400)
        let expected = [(1, 0.0), (100, 0), (101, 1), (200, 1), (201, 3), (400, 3), (401, 5)]
        for (bytes, seconds) in expected { #expect(three.readySeconds(bytes: bytes) == seconds) }
        let twice = three.scaled(by: 2)
        #expect(twice.marks.map(\.seconds) == [0, 2, 6] && twice.endSeconds == 10 && twice.bytes == 400)
        #expect(BackwardProfile().readySeconds(bytes: 1) == 0 && BackwardProfile().bytes == 0)
    }

    @Test func candidatesGoUpToOneBucket() {
        let kibibyte = 1024
        #expect(BucketSchedule.candidates(bytes: 40_000) == [40_000])
        #expect(BucketSchedule.candidates(bytes: 64 * kibibyte) == [64 * kibibyte])
        #expect(
            BucketSchedule.candidates(bytes: 300 * kibibyte)
                == [64 * kibibyte, 128 * kibibyte, 256 * kibibyte, 300 * kibibyte])
    }

    @Test func workLiesOnALineOfPatches() {
        func work(_ seconds: Double, _ bytes: Int) -> StepWork {
            StepWork(
                computeSeconds: seconds, profile: profile([(100, 0), (400, seconds / 2)], end: seconds / 2),
                exchanges: [bytes])
        }
        let line = PatchWork(one: work(3, 8), many: work(12, 32), patches: 4)
        #expect(line.work(patches: 4) == work(12, 32))
        #expect(line.work(patches: 2) == work(6, 16))
        #expect(line.work(patches: 1) == work(3, 8))
        #expect(line.work(patches: 6) == work(18, 48))
        // With a share that does not grow: 4 s and 2 s a patch.
        #expect(
            PatchWork(one: work(6, 8), many: work(10, 24), patches: 3).work(patches: 2).computeSeconds == 8)
        #expect(PatchWork(one: work(3, 8), many: work(3, 8), patches: 1).work(patches: 4) == work(12, 32))
        // A clock that says that more patches take less is not believed.
        #expect(
            PatchWork(one: work(6, 8), many: work(5, 16), patches: 2).work(patches: 8).computeSeconds == 6)
    }

    @Test func aStepIsComputationAndWhatIsNotHidden() {
        // A million bytes, final when backward ends; a link of 1 ms and 1 MB/s.
        let work = StepWork(
            computeSeconds: 2, profile: profile([(1_000_000, 0)], end: 0), exchanges: [100, 900])
        let step = work.forecast(ranks: 4, link: ReductionCostTests.link, algorithm: .ring)
        #expect(step.bucketBytes == 1_000_000)
        #expect(abs(step.exposedSeconds - 1.506) < 1e-9)
        // Two messages each, and 3 times 1000 bytes come in.
        #expect(abs(step.exchangeSeconds - 0.007) < 1e-9)
        #expect(abs(step.stepSeconds - 3.513) < 1e-9)
        let halves = work.forecast(
            ranks: 4, link: ReductionCostTests.link, algorithm: .tree, bucketBytes: 500_000)
        #expect(abs(halves.exposedSeconds - 1.508) < 1e-9)
        let alone = work.forecast(ranks: 1, link: ReductionCostTests.link, algorithm: .tree)
        #expect(alone.stepSeconds == 2)
    }
}
