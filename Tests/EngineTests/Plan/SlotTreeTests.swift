import Engine
import Foundation
import Geometry
import Losses
import Networks
import Testing

/// Gradients by slot: the same bits on any number of ranks.
@Suite(.serialized) struct SlotTreeTests {
    @Test func additionsOfSevenAreABalancedTree() {
        var order: [[Int]] = []
        SlotTree.additions(7) { order.append([$0, $1]) }
        #expect(order == [[1, 2], [0, 1], [3, 4], [5, 6], [3, 5], [0, 3]])
    }

    /// A network and the edge of the patches that it is tried on.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let options: NetworkOptions
        let size: Size3
        var testDescription: String { "\(name) \(options.normalisation?.rawValue ?? "")" }
    }

    /// Widths that fill blocks and widths that do not; every kind of operation.
    static let cases = [
        Case(
            name: "highres3dnet", options: NetworkOptions(widths: [4, 8, 12], hidden: 10),
            size: Size3(cube: 38)),
        Case(
            name: "highres3dnet",
            options: NetworkOptions(
                widths: [4, 8, 8], hidden: 8, normalisation: .instance, activation: .prelu),
            size: Size3(cube: 37)),
        Case(
            name: "deepmedic",
            options: NetworkOptions(widths: [3, 3, 4, 4, 4, 8, 8, 8], hidden: 9, dropout: 0.5),
            size: Size3(cube: 54)),
        Case(
            name: "unet", options: NetworkOptions(widths: [5, 8, 16], dropout: 0.2), size: Size3(1, 48, 44)),
        Case(name: "twopathcnn", options: NetworkOptions(widths: [5, 8, 6]), size: Size3(1, 36, 39)),
    ]

    @Test(arguments: cases, ConvolutionAlgorithm.allCases.filter { $0 != .auto })
    func ranksDoNotChangeABit(of one: Case, algorithm: ConvolutionAlgorithm) throws {
        let whole = try gradients(of: one, algorithm, ranks: 1)
        #expect(whole.contains { $0 != 0 })
        for ranks in [2, 4] {
            #expect(try gradients(of: one, algorithm, ranks: ranks) == whole, "\(ranks) ranks")
        }
    }

    /// They are the gradients that are formed otherwise, to the rounding of Winograd sums in another order.
    @Test(arguments: cases)
    func sumsAreThoseOfTheWholeBatch(of one: Case) throws {
        let bySlot = try gradients(of: one, .winograd, ranks: 1)
        let together = try gradients(of: one, .winograd, ranks: 1, bySlot: false)
        #expect(relativeError(bySlot, together) < 5e-5)
    }

    /// The gradients of a batch of 4 slots, the ranks' added in the order of the tree.
    private func gradients(
        of one: Case, _ algorithm: ConvolutionAlgorithm, ranks: Int, bySlot: Bool = true
    ) throws -> [Float] {
        let graph = try NetworkRegistry.network(
            named: one.name, inputChannels: 2, classes: 2, options: one.options
        ).graph()
        let meeting = Meeting(ranks: ranks)
        let results = Results<[Float]>(count: ranks)
        for rank in 0..<ranks {
            let thread = Thread {
                results.set(
                    rank,
                    Result {
                        let model = Parameters(graph: graph)
                        model.initialise(seed: 3)
                        let local = 4 / ranks
                        let plan = try Plan(
                            training: graph, inputSize: one.size,
                            options: Plan.Options(
                                slots: local, firstSlot: rank * local, globalSlots: 4,
                                algorithms: AlgorithmChoice(algorithm), gradientsBySlot: bySlot),
                            loss: GeneralisedDiceLoss(pooling: .batch),
                            exchange: MeetingExchange(meeting, rank: rank), model: model)
                        for slot in 0..<local {
                            SmallNetwork.fill(plan, slot: slot, drawn: rank * local + slot, classes: 2)
                        }
                        try plan.forward(seed: 1, step: 1)
                        _ = try plan.loss()
                        try plan.backward()
                        return model.gradients.values
                    })
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        var parts = try results.all().map { try $0.get() }
        SlotTree.additions(ranks) { into, term in
            for index in parts[into].indices { parts[into][index] += parts[term][index] }
        }
        return parts[0]
    }
}
