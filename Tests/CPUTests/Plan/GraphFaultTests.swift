import Geometry
import Losses
import Testing

@testable import CPU
@testable import Engine

/// Shapes of graphs that no network of the project has, each against an equivalent graph whose way through
/// the engine is another one.
@Suite(.serialized) struct GraphFaultTests {
    static let algorithms: [ConvolutionAlgorithm] = [.direct, .winograd]

    // MARK: Gradients that share memory

    /// s reaches the sum itself and through a rectifier; f is its first term or its last.
    private static func chain(endsWithSum: Bool) -> Graph {
        var graph = Graph(inputChannels: 2)
        func convolution(_ x: Graph.Value, _ name: String) -> Graph.Value {
            graph.convolution(x, name: name, channels: 8, kernel: Size3(cube: 3))
        }
        let s = convolution(graph.input, "s")
        let f = convolution(graph.input, "f")
        let sum = graph.add(convolution(graph.relu(s), "c"), shortcut: s)
        let out = endsWithSum ? graph.add(f, shortcut: sum) : graph.add(sum, shortcut: f)
        graph.setOutput(
            graph.convolution(out, name: "logits", channels: 3, kernel: Size3(cube: 1), bias: true))
        return graph
    }

    @Test(arguments: algorithms)
    func aChainOfAdditionsHasTheGradientOfItsTerms(algorithm: ConvolutionAlgorithm) throws {
        let expected = try GraphOutcome(Self.chain(endsWithSum: false), algorithm: algorithm)
        let found = try GraphOutcome(Self.chain(endsWithSum: true), algorithm: algorithm)
        found.expectGradients(of: expected, 1e-5)
    }

    @Test(arguments: algorithms)
    func theLossFollowsTheGradientOfAChain(algorithm: ConvolutionAlgorithm) throws {
        try GraphOutcome.expectLossFollowsGradient(Self.chain(endsWithSum: true), algorithm)
    }

    /// One tensor of gradients for four terms, of which the first and the last are read again by others.
    @Test(arguments: algorithms)
    func aLongChainOfAdditions(algorithm: ConvolutionAlgorithm) throws {
        var graph = Graph(inputChannels: 2)
        func convolution(_ x: Graph.Value, _ name: String, _ dilation: Int = 1) -> Graph.Value {
            graph.convolution(x, name: name, channels: 8, kernel: Size3(cube: 3), dilation: dilation)
        }
        let a = convolution(graph.input, "a")
        let b = convolution(graph.relu(a), "b")
        let c = convolution(graph.relu(b), "c", 2)
        let d = convolution(graph.prelu(a, name: "d.activation"), "d")
        let inner = graph.add(d, shortcut: graph.add(convolution(c, "e"), shortcut: a))
        let outer = graph.add(convolution(b, "g"), shortcut: graph.add(inner, shortcut: b))
        graph.setOutput(
            graph.convolution(
                graph.concatenate([outer, graph.add(c, shortcut: outer), a]), name: "logits", channels: 3,
                kernel: Size3(cube: 1), bias: true))
        try GraphOutcome.expectLossFollowsGradient(graph, algorithm)
    }

    /// A normalisation with its activation that two convolutions apply as they load: its gradient is whole only
    /// when both have written theirs.
    @Test func aPassReadByTwoConvolutions() throws {
        var graph = Graph(inputChannels: 2)
        func convolution(_ x: Graph.Value, _ name: String) -> Graph.Value {
            graph.convolution(x, name: name, channels: 8, kernel: Size3(cube: 3))
        }
        let normalised = graph.batchNormalisation(convolution(graph.input, "a"), name: "norm")
        let shared = graph.prelu(normalised, name: "activation")
        let sum = graph.add(convolution(shared, "b"), shortcut: convolution(shared, "c"))
        graph.setOutput(
            graph.convolution(sum, name: "logits", channels: 3, kernel: Size3(cube: 1), bias: true))
        let found = try GraphOutcome(graph, algorithm: .winograd)
        found.expectGradients(of: try GraphOutcome(graph, algorithm: .direct), 5e-5)
    }

    // MARK: Values that share memory

    /// Dropout of inference is the value itself, which the addition must not overwrite while others read it.
    @Test(arguments: algorithms)
    func dropoutLeavesItsInputToOthers(algorithm: ConvolutionAlgorithm) throws {
        func graph(_ dropout: (inout Graph, Graph.Value) -> Graph.Value) -> Graph {
            var graph = Graph(inputChannels: 2)
            func convolution(_ x: Graph.Value, _ name: String) -> Graph.Value {
                graph.convolution(x, name: name, channels: 8, kernel: Size3(cube: 3))
            }
            let x = convolution(graph.input, "x")
            let z = convolution(graph.input, "z")
            // Winograd's convolution forms the rectifier when it reads: after the addition.
            let r = graph.relu(x)
            let y = graph.add(dropout(&graph, dropout(&graph, x)), shortcut: z)
            let late = convolution(r, "late")
            graph.setOutput(graph.concatenate([y, x, late]))
            return graph
        }
        func logits(_ graph: Graph) throws -> [Float] {
            let plan = try Plan(
                inference: graph, inputSize: GraphOutcome.size, slots: 1, threads: 1,
                sharing: SmallNetwork.model(graph), algorithms: AlgorithmChoice(algorithm),
                checksMemory: true)
            plan.withInput(slot: 0) { image in
                var draws = FixtureDraws("dropout")
                for index in image.indices { image[index] = Float(draws.signed()) }
            }
            try plan.forward()
            return plan.logits(slot: 0)
        }
        let expected = try logits(graph { $1 })
        #expect(try logits(graph { $0.dropout($1, rate: 0.5) }) == expected)
    }

    // MARK: Statistics

    /// A crop that begins at the first voxel is no copy: its statistics are its own.
    @Test func statisticsOfACropAreItsOwn() throws {
        var graph = Graph(inputChannels: 2)
        let y = graph.convolution(graph.input, name: "y", channels: 8, kernel: Size3(cube: 3))
        let whole = graph.batchNormalisation(y, name: "whole")
        let cropped = graph.instanceNormalisation(graph.crop(y, before: 0, after: 2), name: "cropped")
        let sum = graph.add(graph.crop(whole, before: 0, after: 2), shortcut: cropped)
        graph.setOutput(
            graph.convolution(sum, name: "logits", channels: 3, kernel: Size3(cube: 1), bias: true))
        let expected = try GraphOutcome(graph, algorithm: .direct)
        let found = try GraphOutcome(graph, algorithm: .winograd)
        #expect(relativeError(found.logits, expected.logits) < 1e-5)
        found.expectGradients(of: expected, 5e-5)
    }

    // MARK: Gaps

    /// A transposed convolution with a kernel of one voxel is a convolution with the weights transposed.
    @Test(arguments: algorithms)
    func gapsDoNotCountInATransposedConvolution(algorithm: ConvolutionAlgorithm) throws {
        let channels = 6
        func graph(transposed: Bool) -> Graph {
            var graph = Graph(inputChannels: 2)
            var x = graph.convolution(
                graph.input, name: "before", channels: channels, kernel: Size3(cube: 3), dilation: 2)
            x =
                transposed
                ? graph.transposedConvolution(x, name: "middle", channels: channels, kernel: Size3(cube: 1))
                : graph.convolution(x, name: "middle", channels: channels, kernel: Size3(cube: 1))
            graph.setOutput(
                graph.convolution(x, name: "after", channels: 3, kernel: Size3(cube: 3), dilation: 2))
            return graph
        }
        func turned(_ weights: [Float]) -> [Float] {
            (0..<channels * channels).map { weights[$0 % channels * channels + $0 / channels] }
        }
        let plain = SmallNetwork.model(graph(transposed: false))
        let model = SmallNetwork.model(graph(transposed: true))
        model.parameters["middle.weight"] = turned(plain.parameters["middle.weight"])
        let expected = try GraphOutcome(graph(transposed: false), model: plain, algorithm: algorithm)
        let found = try GraphOutcome(graph(transposed: true), model: model, algorithm: algorithm)
        #expect(relativeError(found.logits, expected.logits) < 1e-5)
        let gradient = turned(found.model.gradients["middle.weight"])
        #expect(relativeError(gradient, expected.model.gradients["middle.weight"]) < 1e-5)
    }

    // MARK: Memory that is not written

    /// Between Winograd's convolution, which computes what the crop keeps, and the crop: a direct and a
    /// transposed one. Winograd is within 5e-5 of the direct sum; memory that was not written is off by any
    /// amount.
    @Test(arguments: [false, true])
    func whatACropLeavesOffIsNotReadUnwritten(transposed: Bool) throws {
        var graph = Graph(inputChannels: 2)
        var x = graph.convolution(graph.input, name: "wide", channels: 8, kernel: Size3(cube: 3))
        x = graph.concatenate([graph.crop(x, border: 1), graph.crop(x, before: 2, after: 0)])
        x =
            transposed
            ? graph.transposedConvolution(x, name: "middle", channels: 5, kernel: Size3(cube: 2))
            : graph.convolution(x, name: "middle", channels: 5, kernel: Size3(cube: 1), bias: true)
        graph.setOutput(
            graph.convolution(
                graph.crop(x, border: 2), name: "logits", channels: 3, kernel: Size3(cube: 1)))
        let expected = try GraphOutcome(graph, algorithm: .direct)
        let found = try GraphOutcome(graph, algorithm: .winograd)
        #expect(relativeError(found.logits, expected.logits) < 5e-5)
        found.expectGradients(of: expected, 5e-5)
    }

    // MARK: Slices that become volumes

    /// A slice is the middle of a volume of three that is cropped: what a network makes of it is the same.
    @Test(arguments: algorithms, [false, true])
    func aSliceMayBecomeDeep(algorithm: ConvolutionAlgorithm, upsampled: Bool) throws {
        let slice = Size3(1, 6, 7)
        let volume = Size3(3, 8, 9)
        func graph(cropped: Bool) -> Graph {
            var graph = Graph(inputChannels: 2)
            var x = cropped ? graph.crop(graph.input, border: 1) : graph.input
            x = graph.relu(
                graph.convolution(x, name: "flat", channels: 5, kernel: Size3(1, 3, 3), dilation: 2))
            let other = graph.convolution(
                x, name: "other", channels: 5, kernel: Size3(cube: 3), dilation: 2)
            x = graph.add(
                graph.convolution(x, name: "same", channels: 5, kernel: Size3(cube: 1)), shortcut: other)
            x = graph.transposedConvolution(
                x, name: "deeper", channels: 6, kernel: upsampled ? Size3(2, 1, 1) : Size3(cube: 2))
            if upsampled { x = graph.upsample(x, factor: 2) }
            x = graph.relu(
                graph.convolution(x, name: "deep", channels: 7, kernel: Size3(cube: 3), bias: true))
            x = graph.convolution(x, name: "dilated", channels: 7, kernel: Size3(cube: 3), dilation: 2)
            graph.setOutput(
                graph.convolution(x, name: "logits", channels: 3, kernel: Size3(cube: 1), bias: true))
            return graph
        }
        func outcome(cropped: Bool) throws -> GraphOutcome {
            let border = cropped ? 1 : 0
            return try GraphOutcome(
                graph(cropped: cropped), size: cropped ? volume : slice, algorithm: algorithm
            ) {
                GraphOutcome.noise(slot: $0, channel: $1, z: $2 - border, y: $3 - border, x: $4 - border)
            }
        }
        let expected = try outcome(cropped: true)
        let found = try outcome(cropped: false)
        #expect(found.outputSize == (upsampled ? Size3(4, 12, 14) : Size3(2, 12, 14)))
        #expect(found.outputSize == expected.outputSize)
        #expect(relativeError(found.logits, expected.logits) < 1e-5)
        found.expectGradients(of: expected, 5e-5)
    }

    // MARK: Refusals

    @Test func additionsOfOtherSizesAreAnError() throws {
        var graph = Graph(inputChannels: 2)
        let x = graph.convolution(graph.input, name: "x", channels: 4, kernel: Size3(cube: 3))
        let y = graph.convolution(
            graph.input, name: "y", channels: 4, kernel: Size3(cube: 3), padding: .valid)
        graph.setOutput(graph.add(x, shortcut: y))
        let error = #expect(throws: EngineError.self) { try graph.outputSize(inputSize: Size3(8, 9, 10)) }
        #expect(
            error?.description
                == "A patch of 8x9x10 voxels does not fit the network: its paths end in 8x9x10 "
                + "and 6x7x8 voxels.")
    }

    /// Positions are counted in 32 bits.
    @Test func valuesThatGrowTooLargeAreAnError() throws {
        var graph = Graph(inputChannels: 1)
        let x = graph.transposedConvolution(graph.input, name: "up", channels: 1, kernel: Size3(1, 1, 1000))
        graph.setOutput(graph.upsample(x, factor: 2))
        let error = #expect(throws: EngineError.self) { try graph.outputSize(inputSize: Size3(cube: 2)) }
        #expect(
            error?.description
                == "A patch of 2x2x2 voxels is too large for the network: after up an image has "
                + "2x2x2000 voxels, but an axis may have 1024.")
    }

    @Test func parametersThatTheLossDoesNotReachAreAnError() throws {
        var graph = Graph(inputChannels: 2)
        let x = graph.convolution(graph.input, name: "x", channels: 4, kernel: Size3(cube: 3))
        let dead = graph.convolution(x, name: "dead", channels: 4, kernel: Size3(cube: 3))
        _ = graph.relu(graph.batchNormalisation(dead, name: "dead.norm"))
        graph.setOutput(graph.convolution(x, name: "logits", channels: 3, kernel: Size3(cube: 1)))
        let error = #expect(throws: EngineError.self) {
            try Plan(
                training: graph, inputSize: Size3(cube: 6), options: Plan.Options(slots: 1),
                loss: GeneralisedDiceLoss())
        }
        #expect(error?.description.contains("dead") == true && error?.description.hasSuffix(".") == true)
        // Inference does without them.
        _ = try Plan(
            inference: graph, inputSize: Size3(cube: 6), slots: 1, threads: 1,
            sharing: SmallNetwork.model(graph))
    }
}
