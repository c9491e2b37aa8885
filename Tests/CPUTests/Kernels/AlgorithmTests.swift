import Geometry
import Losses
import Networks
import Testing

@testable import CPU
@testable import Engine

/// The choice between algorithms, and that it does not matter for what is computed.
@Suite(.serialized) struct AlgorithmTests {
    @Test func everyChoiceIsTimed() throws {
        let timings = try CPUDevice(threads: 1).timeAlgorithms(
            of: SmallNetwork.graph(), inputSize: SmallNetwork.size, slots: 2)
        #expect(timings.map(\.names) == [["first"], ["second"]])
        for timing in timings {
            #expect(timing.candidates.map(\.algorithm) == [.direct, .winograd])
            for candidate in timing.candidates {
                #expect(candidate.forward > .zero && candidate.weights > .zero && candidate.data > .zero)
            }
        }
    }

    @Test func noiseDoesNotChoose() {
        func choice(direct: Int, winograd: Int) -> ConvolutionAlgorithm {
            AlgorithmTiming(
                names: ["a"],
                candidates: [
                    .init(algorithm: .direct, forward: .milliseconds(direct), weights: .zero, data: .zero),
                    .init(
                        algorithm: .winograd, forward: .milliseconds(winograd), weights: .zero, data: .zero),
                ]
            ).choice
        }
        #expect(choice(direct: 100, winograd: 50) == .winograd)
        #expect(choice(direct: 100, winograd: 140) == .winograd)
        #expect(choice(direct: 100, winograd: 160) == .direct)
    }

    @Test func aNamedConvolutionRunsAsTold() throws {
        let choice = AlgorithmChoice(named: ["second": .direct])
        let plan = try Plan(
            inference: SmallNetwork.graph(), inputSize: SmallNetwork.size, slots: 1, threads: 1,
            sharing: SmallNetwork.model(), algorithms: choice)
        let lines = plan.summary.split(separator: "\n").map(String.init)
        #expect(lines[0] == "first: Winograd F(4,3)")
        #expect(lines[1].hasPrefix("second: direct"))
    }

    /// Shortcut, crop and dilation as in HighRes3DNet's last block, where Winograd's convolution computes the
    /// kept window only. What a rectifier sees comes from 1^3 convolutions, the same either way, so that none
    /// flips.
    @Test(arguments: [1, 2])
    func theKeptWindowIsEnough(threads: Int) throws {
        func graph() -> Graph {
            var graph = Graph(inputChannels: 2)
            var x = graph.convolution(graph.input, name: "wide", channels: 20, kernel: Size3(cube: 1))
            let shortcut = x
            x = graph.relu(graph.batchNormalisation(x, name: "norm"))
            x = graph.convolution(x, name: "dilated", channels: 20, kernel: Size3(cube: 3), dilation: 4)
            x = graph.crop(graph.add(x, shortcut: shortcut), border: 7)
            graph.setOutput(
                graph.convolution(x, name: "logits", channels: 3, kernel: Size3(cube: 1), bias: true))
            return graph
        }
        func gradients(_ algorithm: ConvolutionAlgorithm) throws -> (Double, Parameters) {
            let model = SmallNetwork.model(graph())
            let plan = try Plan(
                training: graph(), inputSize: Size3(21, 19, 18),
                options: Plan.Options(
                    slots: 2, threads: threads, algorithms: AlgorithmChoice(algorithm)),
                loss: GeneralisedDiceLoss(), model: model)
            for slot in 0..<2 { SmallNetwork.fill(plan, slot: slot, drawn: slot) }
            return (try SmallNetwork.step(plan).loss, model)
        }
        let (direct, expected) = try gradients(.direct)
        let (winograd, found) = try gradients(.winograd)
        #expect(abs(direct - winograd) < 1e-6)
        for entry in expected.gradients.entries {
            // 1e-5: Winograd's rounding is about 1e-6 of a result's norm.
            #expect(
                relativeError(found.gradients[entry.name], expected.gradients[entry.name]) < 1e-5,
                "\(entry.name)")
        }
    }

    /// The paper's large patch and a batch of its small ones fit a rank of 4 GiB.
    @Test(arguments: [(85, 1), (51, 5)])
    func thePapersPatchesFitFourGibibytes(edge: Int, batch: Int) throws {
        let network = try NetworkRegistry.network(named: "highres3dnet", inputChannels: 3, classes: 2)
        let plan = try Plan(
            training: network.graph(), inputSize: Size3(cube: edge),
            options: Plan.Options(slots: batch, threads: 1), loss: GeneralisedDiceLoss())
        #expect(plan.peakBytes < 4 << 30)
    }
}
