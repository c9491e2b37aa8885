import Geometry

@testable import CPU
@testable import Engine

/// Forward and backward of a `Graph` on some slots: one operation after the other, in double, as each is defined.
///
/// Nothing is fused, reordered, shared or made again, and no kernel of the engine is used.
struct ReferencePass {
    let graph: Graph
    let inputSize: Size3
    /// By name, as a model has them.
    var parameters: [String: [Double]]
    let statistics: [String: [Double]]
    /// Dropout's draw, and the numbers in the step of the slots.
    var noise = (seed: UInt64(0), step: 0, slots: [Int]())

    init(_ graph: Graph, inputSize: Size3, model: Parameters) {
        (self.graph, self.inputSize) = (graph, inputSize)
        func values(_ arena: ParameterArena) -> [String: [Double]] {
            Dictionary(
                uniqueKeysWithValues: arena.entries.map { ($0.name, arena[$0.name].map(Double.init)) })
        }
        (parameters, statistics) = (values(model.parameters), values(model.statistics))
    }

    /// What forward leaves to backward.
    struct Trace {
        /// By the index of the value; nil where the output does not depend on it.
        fileprivate var values: [ReferenceTensor?]
        fileprivate var normalisations: [Int: ReferenceNormalisation] = [:]
        fileprivate var dropouts: [Int: ReferenceDropout] = [:]
        /// Of operations that copy: which value of the input each value of the output is.
        fileprivate var sources: [Int: [Int]] = [:]
        /// The running statistics afterwards, by name.
        var statistics: [String: [Double]]

        fileprivate func value(_ x: Graph.Value) -> ReferenceTensor {
            guard let value = values[x.index] else { preconditionFailure("value \(x.index) is not computed") }
            return value
        }
    }

    private func parameter(_ name: String) -> [Double] {
        guard let values = parameters[name] else { preconditionFailure("no parameter is named \(name)") }
        return values
    }

    // MARK: Forward

    func forward(
        _ input: ReferenceTensor, training: Bool, _ perturbation: inout Perturbation
    ) throws -> (trace: Trace, logits: ReferenceTensor) {
        guard let output = graph.output else { throw EngineError.noOutput }
        let hasDropout = graph.nodes.contains { if case .dropout = $0.operation { true } else { false } }
        let positions = training && hasDropout ? try dropoutPositions(graph, inputSize: inputSize) : [:]
        var trace = Trace(
            values: Array(repeating: nil, count: graph.nodes.count), statistics: statistics)
        let reached = graph.reached
        for (index, node) in graph.nodes.enumerated() where reached.contains(index) {
            if case .normalisation(let x, _) = node.operation {
                var noisy = trace.value(x)
                perturbation.disturb(&noisy)
                trace.values[x.index] = noisy
            }
            var y = value(index, node, input, training, positions, &trace)
            if case .convolution = node.operation { perturbation.disturb(&y) }
            trace.values[index] = y
        }
        return (trace, trace.value(output))
    }

    private func value(
        _ index: Int, _ node: Graph.Node, _ input: ReferenceTensor, _ training: Bool,
        _ positions: [Int: [Int]], _ trace: inout Trace
    ) -> ReferenceTensor {
        func copy(_ x: Graph.Value, _ move: (size: Size3, sources: [Int])) -> ReferenceTensor {
            trace.sources[index] = move.sources
            return ReferenceGrid.forward(
                trace.value(x), sources: move.sources, channels: node.channels, size: move.size)
        }
        switch node.operation {
        case .input: return input
        case .convolution(let x, let convolution):
            return ReferenceConvolution(convolution, input: trace.value(x).size).forward(
                trace.value(x), weights: parameter("\(convolution.name).weight"),
                bias: convolution.bias ? parameter("\(convolution.name).bias") : nil)
        case .normalisation(let x, let normalisation):
            return normalize(index, normalisation, trace.value(x), training, &trace)
        case .activation(let x, let activation):
            return ReferenceActivation.forward(trace.value(x), slopes: slopes(activation))
        case .add(let x, let shortcut):
            return ReferenceChannels.add(trace.value(x), shortcut: trace.value(shortcut))
        case .crop(let x, let before, let after):
            return copy(x, ReferenceGrid.crop(trace.value(x), before: before, after: after))
        case .subsample(let x, let step):
            return copy(x, ReferenceGrid.subsample(trace.value(x), step: step))
        case .upsample(let x, let factor):
            return copy(x, ReferenceGrid.upsample(trace.value(x), factor: factor, inputSize: inputSize))
        case .concatenate(let values): return ReferenceChannels.concatenate(values.map(trace.value))
        case .maxPool(let x, let pooling): return copy(x, ReferenceGrid.maxPool(trace.value(x), pooling))
        case .maxout(let x, let pieces):
            return copy(
                x, (trace.value(x).size, ReferenceMaxout.sources(trace.value(x), pieces: pieces)))
        case .dropout(let x, let dropout):
            guard training, let positions = positions[dropout.stream] else { return trace.value(x) }
            let kept = ReferenceDropout(
                dropout, shape: trace.value(x), seed: noise.seed, step: noise.step, slots: noise.slots,
                positions: positions)
            trace.dropouts[index] = kept
            return kept.product(trace.value(x))
        }
    }

    private func slopes(_ activation: Graph.Activation) -> [Double]? {
        if case .prelu(let name) = activation { return parameter("\(name).slope") }
        return nil
    }

    private func normalize(
        _ index: Int, _ normalisation: Graph.Normalisation, _ x: ReferenceTensor, _ training: Bool,
        _ trace: inout Trace
    ) -> ReferenceTensor {
        let name = normalisation.name
        let mean = statistics["\(name).running_mean"]
        let variance = statistics["\(name).running_variance"]
        var running: (mean: [Double], variance: [Double])?
        if let mean, let variance, !training { running = (mean, variance) }
        let pass = ReferenceNormalisation(
            normalisation, x, weights: parameter("\(name).weight"), biases: parameter("\(name).bias"),
            running: running)
        trace.normalisations[index] = pass
        if let mean, let variance, training {
            trace.statistics["\(name).running_mean"] = zip(mean, pass.means).map { 0.9 * $0 + 0.1 * $1 }
            trace.statistics["\(name).running_variance"] = zip(variance, pass.unbiasedVariances).map {
                0.9 * $0 + 0.1 * $1
            }
        }
        return pass.forward()
    }

    // MARK: Backward

    /// The gradients of the parameters that the output depends on, by name.
    /// - Parameter gradient: That of the logits.
    func backward(
        _ trace: Trace, _ gradient: ReferenceTensor, _ perturbation: inout Perturbation
    ) -> [String: [Double]] {
        var gradient = gradient
        perturbation.disturb(&gradient)
        var gradients: [ReferenceTensor?] = Array(repeating: nil, count: graph.nodes.count)
        if let output = graph.output { gradients[output.index] = gradient }
        var ofParameters: [String: [Double]] = [:]
        func give(_ x: Graph.Value, _ dx: ReferenceTensor) {
            guard gradients[x.index] != nil else {
                gradients[x.index] = dx
                return
            }
            gradients[x.index]? += dx
        }
        for (index, node) in graph.nodes.enumerated().reversed() {
            guard var dy = gradients[index] else { continue }
            switch node.operation {
            case .input: break
            case .convolution(let x, let convolution):
                perturbation.disturb(&dy)
                let found = ReferenceConvolution(convolution, input: trace.value(x).size).gradients(
                    trace.value(x), weights: parameter("\(convolution.name).weight"), dy: dy)
                ofParameters["\(convolution.name).weight"] = found.weights
                if convolution.bias { ofParameters["\(convolution.name).bias"] = found.bias }
                give(x, found.x)
            case .normalisation(let x, let normalisation):
                guard let pass = trace.normalisations[index] else { break }
                var found = pass.gradients(dy)
                perturbation.disturb(&found.x, terms: found.terms)
                ofParameters["\(normalisation.name).weight"] = found.weights
                ofParameters["\(normalisation.name).bias"] = found.biases
                give(x, found.x)
            case .activation(let x, let activation):
                let found = ReferenceActivation.gradients(
                    trace.value(x), slopes: slopes(activation), dy: dy)
                if case .prelu(let name) = activation { ofParameters["\(name).slope"] = found.slopes }
                give(x, found.x)
            case .add(let x, let shortcut):
                give(x, dy)
                let narrow = trace.value(shortcut)
                give(
                    shortcut,
                    ReferenceChannels.gradient(
                        of: narrow, first: (dy.channels - narrow.channels) / 2, dy: dy))
            case .concatenate(let values):
                var first = 0
                for value in values {
                    give(
                        value, ReferenceChannels.gradient(of: trace.value(value), first: first, dy: dy))
                    first += trace.value(value).channels
                }
            case .crop(let x, _, _), .subsample(let x, _), .upsample(let x, _), .maxPool(let x, _),
                .maxout(let x, _):
                guard let sources = trace.sources[index] else { break }
                give(x, ReferenceGrid.gradient(trace.value(x), sources: sources, dy: dy))
            case .dropout(let x, _):
                give(x, trace.dropouts[index]?.product(dy) ?? dy)
            }
        }
        return ofParameters
    }
}

extension Graph {
    /// The indices of the values that the output depends on.
    var reached: Set<Int> {
        var reached: Set<Int> = output.map { [$0.index] } ?? []
        for (index, node) in nodes.enumerated().reversed() where reached.contains(index) {
            reached.formUnion(node.operation.inputs.map(\.index))
        }
        return reached
    }
}
