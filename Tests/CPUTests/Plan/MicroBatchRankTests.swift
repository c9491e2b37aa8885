import CPU
import Engine
import Foundation
import Losses
import Testing

/// Micro-batches dealt to ranks: batch normalisation over a micro-batch of all ranks, gradients by slot.
@Suite(.serialized) struct MicroBatchRankTests {
    struct Outcome: Sendable {
        var report: BatchReport
        var gradients, statistics: [Float]
    }

    @Test(arguments: Pooling.allCases)
    func ranksDoNotChangeABit(pooling: Pooling) throws {
        let whole = try outcomes(ranks: 1, pooling: pooling)
        #expect(whole[0].report.slotLosses.count == 8)
        #expect(whole[0].gradients.contains { $0 != 0 })
        for ranks in [2, 4] {
            var parts = try outcomes(ranks: ranks, pooling: pooling)
            for part in parts {
                #expect(part.report.loss == whole[0].report.loss)
                #expect(part.report.slotLosses == whole[0].report.slotLosses)
                #expect(part.report.sums == whole[0].report.sums)
                #expect(part.statistics == whole[0].statistics)
            }
            SlotTree.additions(ranks) { into, term in
                for index in parts[into].gradients.indices {
                    parts[into].gradients[index] += parts[term].gradients[index]
                }
            }
            #expect(parts[0].gradients == whole[0].gradients, "\(ranks) ranks")
        }
    }

    /// A step of two micro-batches of four slots.
    private func outcomes(ranks: Int, pooling: Pooling) throws -> [Outcome] {
        let (batch, count) = (4, 2)
        return try Meeting.outcomes(ranks: ranks) { rank, exchange in
            let graph = SmallNetwork.graph()
            let model = SmallNetwork.model(graph)
            let slots = batch / ranks
            let first = rank * slots * count
            let plan = try Plan(
                training: graph, inputSize: SmallNetwork.size,
                options: Plan.Options(
                    slots: slots, firstSlot: first, globalSlots: batch,
                    algorithms: AlgorithmChoice(.winograd), gradientsBySlot: true, microBatches: count),
                loss: GeneralisedDiceLoss(pooling: pooling), exchange: exchange, model: model)
            let step = MicroBatches(of: plan) { index in
                for slot in 0..<slots {
                    SmallNetwork.fill(plan, slot: slot, drawn: first + slot * count + index)
                }
            }
            try step.forward()
            let report = try step.loss()
            try step.backward()
            return Outcome(
                report: report, gradients: model.gradients.values, statistics: model.statistics.values)
        }
    }
}
