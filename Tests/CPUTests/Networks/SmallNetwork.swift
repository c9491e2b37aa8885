import CPU
import Engine
import Geometry
import Losses

/// A network with every operation, small enough to run often: 2 channels, 3 classes, a border of 2.
enum SmallNetwork {
    static let size = Size3(9, 8, 11)
    static let classes = 3

    static func graph(border: Int = 2) -> Graph {
        var graph = Graph(inputChannels: 2)
        var x = graph.convolution(graph.input, name: "first", channels: 6, kernel: Size3(cube: 3))
        let shortcut = x
        x = graph.prelu(graph.batchNormalisation(x, name: "first.norm"), name: "first.activation")
        x = graph.convolution(x, name: "second", channels: 10, kernel: Size3(cube: 3), dilation: 2)
        x = graph.add(x, shortcut: shortcut)
        x = graph.relu(graph.batchNormalisation(x, name: "second.norm"))
        x = graph.convolution(
            graph.crop(x, border: border), name: "third", channels: 18, kernel: Size3(cube: 1))
        x = graph.prelu(x, name: "third.activation")
        graph.setOutput(
            graph.convolution(x, name: "logits", channels: classes, kernel: Size3(cube: 1), bias: true))
        return graph
    }

    static func model(_ graph: Graph = graph(), seed: UInt64 = 4) -> Parameters {
        let model = Parameters(graph: graph)
        model.initialise(seed: seed)
        return model
    }

    /// A training plan of the slots `range` of a global batch, patches and references drawn by their global
    /// number.
    static func plan(
        _ range: Range<Int> = 0..<3, of globalSlots: Int? = nil,
        loss: GeneralisedDiceLoss = GeneralisedDiceLoss(),
        model: Parameters = model(), threads: Int = 1, batchStatistics: BatchStatistics = .global,
        exchange: any SlotExchange = SoloExchange(), instructionSet: InstructionSet? = nil
    ) throws -> Plan {
        let options = Plan.Options(
            slots: range.count, firstSlot: range.lowerBound, globalSlots: globalSlots ?? range.upperBound,
            threads: threads, batchStatistics: batchStatistics)
        let plan = try Plan(
            training: graph(), inputSize: size, options: options, loss: loss, exchange: exchange,
            model: model,
            instructionSet: instructionSet)
        for slot in range { fill(plan, slot: slot - range.lowerBound, drawn: slot) }
        return plan
    }

    /// Writes patch and reference number `drawn` into a slot.
    static func fill(_ plan: any TrainableNetwork, slot: Int, drawn: Int, classes: Int = classes) {
        var draws = FixtureDraws("small network \(drawn)")
        plan.withInput(slot: slot) { image in
            for index in image.indices { image[index] = Float(draws.signed()) }
        }
        plan.withReference(slot: slot) { labels in
            for index in labels.indices {
                let r = draws.word() % 10
                labels[index] = r < 7 ? 0 : r < 9 || classes < 3 ? 1 : 2
            }
        }
    }

    /// Forward, loss and backward.
    @discardableResult static func step(_ plan: Plan) throws -> BatchReport {
        try plan.forward()
        let report = try plan.loss()
        try plan.backward()
        return report
    }
}

extension ParameterArena {
    /// All elements, in the order of the arena.
    var values: [Float] { withUnsafeMutableBuffer { Array($0) } }
}
