import Foundation
import Testing

@testable import Collectives

@Suite struct ClockOffsetsTests {
    private func passages(_ times: [(Int64, Int64)]) -> [ClockOffsets.Passage] {
        times.map { .init(entered: $0.0, left: $0.1) }
    }

    /// The clock of the second host is 1000 ahead. In the first barrier rank 0 enters last, at 40, which
    /// bounds the offset by 1058 - 40 = 1018 from above; in the second rank 1 does, at 1130, which bounds it
    /// by 1130 - 145 = 985 from below.
    @Test func everyBarrierGivesBounds() {
        let offsets = ClockOffsets(
            [passages([(40, 60), (100, 145)]), passages([(1010, 1058), (1130, 1150)])],
            hosts: ["here", "there"])
        // From below: 1010 - 60 = 950 and 985; from above: 1018 and 1150 - 100 = 1050.
        #expect(offsets.nanoseconds == [0, 1001])
        #expect(offsets.errors == [0, 16])
    }

    /// Ranks of a host have one clock: what one of them knows holds for all, and rank 0's is known.
    @Test func ranksOfAHostAreTakenTogether() {
        let offsets = ClockOffsets(
            [
                passages([(0, 100)]), passages([(20, 50)]),
                passages([(-500, -440)]), passages([(-470, -420)]),
            ], hosts: ["a", "a", "b", "b"])
        // From below: -470 - 50 = -520; from above: -440 - 20 = -460.
        #expect(offsets.nanoseconds == [0, 0, -490, -490])
        #expect(offsets.errors == [0, 0, 30, 30])
    }

    /// Ranks are threads here, with clocks that are set apart; the error has to hold what is found.
    @Test func artificialOffsetsAreFound() throws {
        let truth: [Int64] = [0, 5_000_000_000, -3_000_000]
        let begin = ContinuousClock.now
        let results = ThreadedRanks.run(3) { ranks in
            try ClockOffsets.measure(on: ranks) {
                let components = begin.duration(to: .now).components
                return components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
                    + truth[ranks.rank]
            }
        }
        let all = try results.map { try $0.get() }
        #expect(Set(all.map(\.nanoseconds)).count == 1)
        for rank in 0..<3 {
            let (found, error) = (all[0].nanoseconds[rank], all[0].errors[rank])
            #expect(abs(found - truth[rank]) <= error + 1, "\(found) of \(truth[rank]), within \(error)")
            #expect(error < 50_000_000)
        }
    }

    @Test func aRankAloneHasNoOffset() throws {
        let offsets = try ClockOffsets.measure(on: SoloCommunicator()) { 7 }
        #expect(offsets.nanoseconds == [0] && offsets.errors == [0])
    }
}
