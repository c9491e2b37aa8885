import CKernels
import Engine
import Geometry

extension AlgorithmTiming {
    /// Longer axes are cut to so many voxels: ratios hardly change, and the start of a run stays short.
    private static let longestEdge = 32
    private static let rounds = 3

    /// Times the candidates of every convolution for which there is a choice.
    ///
    /// - Parameter slots: Patches of a rank in a micro-batch. Small images are timed in as many slots, which
    ///   share the weights' way through the cache; of large ones fewer say the same.
    static func measure(
        _ graph: Graph, inputSize: Size3, slots: Int, on device: CPUDevice
    ) throws(EngineError) -> [AlgorithmTiming] {
        // oneDNN takes as many as OpenMP would.
        dr_set_threads(Int32(device.threads))
        let lowered = try LoweredGraph(
            graph, inputSize: inputSize, instructionSet: device.instructionSet)
        var shapes: [TimedShape] = []
        var names: [TimedShape: [String]] = [:]
        for instruction in lowered.instructions {
            guard case .convolution(var convolution, let from, _) = instruction,
                ConvolutionKind.winograd(convolution, planar: lowered.layouts[from].planar) != nil
            else { continue }
            let name = convolution.name
            convolution.name = "convolution"
            var layout = lowered.layouts[from]
            let kernel = convolution.kernel
            layout.size = Size3 { min(layout.size[$0], longestEdge + kernel[$0] - 3) }
            let enough = longestEdge * longestEdge * longestEdge / layout.size.count
            let shape = TimedShape(
                convolution: convolution, layout: layout, slots: max(1, min(slots, enough)))
            if names[shape] == nil { shapes.append(shape) }
            names[shape, default: []].append(name)
        }
        var timings: [AlgorithmTiming] = []
        for shape in shapes {
            var candidates: [Candidate] = []
            for algorithm in [ConvolutionAlgorithm.direct, .winograd] {
                candidates.append(try shape.measure(algorithm, rounds: rounds, on: device))
            }
            timings.append(AlgorithmTiming(names: names[shape] ?? [], candidates: candidates))
        }
        return timings
    }
}

/// A convolution by itself.
private struct TimedShape: Hashable {
    let convolution: Graph.Convolution
    /// Of the input.
    let layout: Layout
    let slots: Int

    func measure(
        _ algorithm: ConvolutionAlgorithm, rounds: Int, on device: CPUDevice
    ) throws(EngineError) -> AlgorithmTiming.Candidate {
        var graph = Graph(inputChannels: convolution.inputChannels)
        let value = graph.convolution(
            graph.input, name: convolution.name, channels: convolution.outputChannels,
            kernel: convolution.kernel, dilation: convolution.dilation, padding: convolution.padding,
            bias: convolution.bias)
        graph.setOutput(value)
        let context = Context(
            options: StepOptions(slots: slots), device: device, exchange: SoloExchange(),
            model: Parameters(graph: graph))
        var output = layout.with(
            channels: convolution.outputChannels, size: convolution.outputSize(layout.size))
        if convolution.padding == .valid, layout.dilation > 1 {
            output.gap = Size3 { layout.gap[$0] + convolution.kernel[$0] - 1 }
        }
        let (x, y) = (context.tensor(layout, at: 0), context.tensor(output, at: 0))
        let dx = context.tensor(layout, at: 0)
        for tensor in [x, y, dx] { tensor.buffer.touch(1) }
        let choice = AlgorithmChoice(algorithm)
        let kernel = try choice.kind(of: convolution, planar: layout.planar).kernel(
            convolution, x: Operand(tensor: x), y: y,
            region: Region(x: VoxelBox(layout.size), y: VoxelBox(output.size)), context: context, step: 0)
        try kernel.prepareBackward(
            x: Operand(tensor: x), y: y, data: true, epilogue: nil, step: 1)
        let arena = FloatStorage(count: context.planner.layOut())
        context.planner.bind(to: arena)
        var times: [[Duration]] = [[], [], []]
        func time(_ index: Int, _ body: () throws(EngineError) -> Void) throws(EngineError) {
            let start = ContinuousClock.now
            try body()
            times[index].append(start.duration(to: .now))
        }
        for _ in 0...rounds {
            try time(0) { () throws(EngineError) in try kernel.forward(x: Operand(tensor: x), y: y) }
            try time(1) { () throws(EngineError) in
                try kernel.backwardWeights(x: Operand(tensor: x), dy: y)
            }
            try time(2) { () throws(EngineError) in try kernel.backwardData(dy: y, dx: dx) }
        }
        withExtendedLifetime(arena) {}
        // The first round warms up.
        let medians = times.map { $0.dropFirst().sorted()[rounds / 2] }
        return AlgorithmTiming.Candidate(
            algorithm: algorithm, forward: medians[0], weights: medians[1], data: medians[2])
    }
}
