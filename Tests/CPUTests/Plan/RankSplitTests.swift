import CPU
import Engine
import Foundation
import Losses
import Testing

/// A global batch on one rank, and the same batch dealt to several, each a plan on a thread of its own that
/// sees the others through its exchange only.
@Suite(.serialized) struct RankSplitTests {
    /// Slots of each rank; uneven shares too.
    static let deals = [[0..<2, 2..<4], [0..<1, 1..<2, 2..<3, 3..<4], [0..<3, 3..<4]]

    struct Outcome: Sendable {
        var report: BatchReport
        var gradients, statistics: [Float]
    }

    @Test(arguments: deals, Pooling.allCases)
    func dealtBatchIsTheWholeBatch(deal: [Range<Int>], pooling: Pooling) throws {
        let whole = try outcomes(of: [0..<4], pooling: pooling)[0]
        let parts = try outcomes(of: deal, pooling: pooling)
        var sum = [Float](repeating: 0, count: whole.gradients.count)
        for part in parts {
            // Formed of the same doubles in the same order.
            #expect(part.report.sums == whole.report.sums)
            #expect(part.report.loss == whole.report.loss)
            #expect(part.report.slotLosses == whole.report.slotLosses)
            #expect(part.report.dice == whole.report.dice)
            #expect(part.report.foregroundFraction == whole.report.foregroundFraction)
            #expect(part.statistics == whole.statistics)
            for index in sum.indices { sum[index] += part.gradients[index] }
        }
        // Sums over slots in another order: float32 rounding.
        #expect(relativeError(sum, whole.gradients) < 1e-6)
    }

    /// Ranks of two and one threads: what is exchanged is formed a slot at a time, in an order that threads
    /// do not change.
    @Test(arguments: Pooling.allCases)
    func unevenThreadsGiveTheSameStatistics(pooling: Pooling) throws {
        let deal = [0..<2, 2..<4]
        let even = try outcomes(of: deal, pooling: pooling)
        let uneven = try outcomes(of: deal, pooling: pooling, threads: [2, 1])
        for (one, other) in zip(even, uneven) {
            #expect(one.report.sums == other.report.sums)
            #expect(one.report.loss == other.report.loss)
            #expect(one.statistics == other.statistics)
            // Weights' gradients are summed a thread at a time: float32 rounding.
            #expect(relativeError(one.gradients, other.gradients) < 1e-6)
        }
    }

    /// Statistics of a rank's own slots are another computation.
    @Test func rankStatisticsAreNotGlobalOnes() throws {
        let global = try outcomes(of: [0..<2, 2..<4], pooling: .image)
        let own = try outcomes(of: [0..<2, 2..<4], pooling: .image, batchStatistics: .rank)
        #expect(own[0].report.loss != global[0].report.loss)
        #expect(own[0].report.loss == own[1].report.loss)
        #expect(own[0].statistics != own[1].statistics)
    }

    private func outcomes(
        of deal: [Range<Int>], pooling: Pooling, batchStatistics: BatchStatistics = .global,
        threads: [Int]? = nil
    ) throws -> [Outcome] {
        try Meeting.outcomes(ranks: deal.count) { rank, exchange in
            let model = SmallNetwork.model()
            let plan = try SmallNetwork.plan(
                deal[rank], of: 4, loss: GeneralisedDiceLoss(pooling: pooling), model: model,
                threads: threads?[rank] ?? 1, batchStatistics: batchStatistics, exchange: exchange)
            let report = try SmallNetwork.step(plan)
            return Outcome(
                report: report, gradients: model.gradients.values, statistics: model.statistics.values)
        }
    }
}

/// Where the ranks of a test lay down their values and take up everybody's.
final class Meeting: @unchecked Sendable {
    private let ranks: Int
    private let condition = NSCondition()
    private var laid: [Int: [Double]] = [:]
    private var round = 0
    private var result: [Double] = []

    init(ranks: Int) { self.ranks = ranks }

    /// What `body` returns for each rank, by rank, each on a thread of its own.
    static func outcomes<Outcome: Sendable>(
        ranks: Int, _ body: @escaping @Sendable (_ rank: Int, _ exchange: MeetingExchange) throws -> Outcome
    ) throws -> [Outcome] {
        let meeting = Meeting(ranks: ranks)
        let results = Results<Outcome>(count: ranks)
        for rank in 0..<ranks {
            let thread = Thread {
                results.set(rank, Result { try body(rank, MeetingExchange(meeting, rank: rank)) })
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        return try results.all().map { try $0.get() }
    }

    func exchange(_ values: [Double], rank: Int) -> [Double] {
        condition.lock()
        defer { condition.unlock() }
        let mine = round
        laid[rank] = values
        if laid.count == ranks {
            result = (0..<ranks).flatMap { laid[$0] ?? [] }
            laid = [:]
            round += 1
            condition.broadcast()
        } else {
            while round == mine { condition.wait() }
        }
        return result
    }
}

final class MeetingExchange: SlotExchange {
    private let meeting: Meeting
    private let rank: Int

    init(_ meeting: Meeting, rank: Int) { (self.meeting, self.rank) = (meeting, rank) }

    func allSlots(_ local: UnsafeBufferPointer<Double>, into all: UnsafeMutableBufferPointer<Double>) throws {
        let values = meeting.exchange(Array(local), rank: rank)
        precondition(values.count == all.count, "\(values.count) values for room for \(all.count)")
        _ = all.update(from: values)
    }
}

/// What the ranks' threads leave behind.
final class Results<Value: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private var values: [Result<Value, any Error>?]

    init(count: Int) { values = Array(repeating: nil, count: count) }

    func set(_ rank: Int, _ value: Result<Value, any Error>) {
        condition.lock()
        values[rank] = value
        condition.broadcast()
        condition.unlock()
    }

    /// Waits for every rank.
    func all() -> [Result<Value, any Error>] {
        condition.lock()
        defer { condition.unlock() }
        while values.contains(where: { $0 == nil }) { condition.wait() }
        return values.compactMap { $0 }
    }
}
