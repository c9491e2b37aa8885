import Geometry

@testable import Engine

/// A network of ``ReferenceDevice``. It keeps all that a step has computed, in double.
final class ReferenceNetwork: TrainableNetwork {
    let inputSize, outputSize: Size3
    let inputChannels, classes: Int
    let options: StepOptions
    let algorithms: AlgorithmChoice
    let model: Parameters
    /// It is never called: there is nothing to learn from the reference's times.
    var observer: ((OperationReport) -> Void)?

    private let graph: Graph
    private let sizes: [Size3]
    /// Definition and pooling; nil where the network infers.
    private let loss: (definition: ReferenceLoss, pooling: Engine.Pooling)?
    private var perturbation: Perturbation

    // Of the micro-batch at hand, by slot.
    private var images: [[Float]]
    private var labels: [[UInt8]]
    /// Empty where no one has written any.
    private var softReferences: [[Float]] = []
    private var microBatch = 0
    private var forwardPass: (pass: ReferencePass, trace: ReferencePass.Trace, logits: ReferenceTensor)?

    /// What the loss takes of a slot: [class][voxel] of logits and reference, and its labels.
    private typealias LossSlot = (logits: [Double], reference: [[Double]], labels: [UInt8])
    /// Of all micro-batches, by the slot of the step.
    private var lossSlots: [LossSlot?]
    /// With respect to the logits of all micro-batches.
    private var stepGradient: ReferenceTensor?
    /// Sums over the micro-batches before.
    private var carried: [String: [Double]] = [:]

    init(
        _ graph: Graph, inputSize: Size3, options: StepOptions, algorithms: AlgorithmChoice,
        loss: (any SegmentationLoss)?, model: Parameters, perturbation: Perturbation
    ) throws(EngineError) {
        guard let output = graph.output else { throw .noOutput }
        (self.graph, self.inputSize, self.options) = (graph, inputSize, options)
        (self.algorithms, self.model, self.perturbation) = (algorithms, model, perturbation)
        self.loss = loss.map { (ReferenceLoss($0), $0.pooling) }
        sizes = try graph.sizes(inputSize: inputSize)
        (outputSize, classes) = (sizes[output.index], graph.channels(of: output))
        inputChannels = graph.channels(of: graph.input)
        let (values, voxels) = (inputChannels * inputSize.count, outputSize.count)
        images = Array(repeating: Array(repeating: 0, count: values), count: options.slots)
        labels = Array(repeating: Array(repeating: 0, count: voxels), count: options.slots)
        lossSlots = Array(repeating: nil, count: options.stepSlots)
    }

    /// A value and its gradient of every operation, in double.
    var peakBytes: Int {
        zip(graph.nodes, sizes).reduce(0) {
            $0 + 2 * options.slots * $1.0.channels * $1.1.count * MemoryLayout<Double>.stride
        }
    }

    var summary: String {
        graph.nodes.compactMap { node in
            guard case .convolution(_, let convolution) = node.operation else { return nil }
            return "\(convolution.name): \(ConvolutionAlgorithm.direct)"
        }.joined(separator: "\n")
    }

    // MARK: What a step is given

    func withInput<R>(slot: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R) rethrows -> R {
        try images[slot].withUnsafeMutableBufferPointer { try body($0) }
    }

    func withReference<R>(slot: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) throws -> R) rethrows -> R {
        try labels[slot].withUnsafeMutableBufferPointer { try body($0) }
    }

    func withSoftReference<R>(
        slot: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
    ) rethrows -> R {
        if softReferences.isEmpty {
            let zeros = [Float](repeating: 0, count: classes * outputSize.count)
            softReferences = Array(repeating: zeros, count: options.slots)
        }
        return try softReferences[slot].withUnsafeMutableBufferPointer { try body($0) }
    }

    /// [class][voxel]
    private func reference(_ slot: Int) -> [[Double]] {
        let voxels = outputSize.count
        return (0..<classes).map { l in
            guard !softReferences.isEmpty else { return labels[slot].map { $0 == l ? 1 : 0 } }
            return softReferences[slot][l * voxels..<(l + 1) * voxels].map(Double.init)
        }
    }

    // MARK: Forward

    func forward(seed: UInt64, step: Int, microBatch: Int, isFirst: Bool) throws {
        self.microBatch = microBatch
        var pass = ReferencePass(graph, inputSize: inputSize, model: model)
        pass.noise = (seed, step, stepSlots)
        var input = ReferenceTensor(slots: options.slots, channels: inputChannels, size: inputSize)
        input.values = images.flatMap { $0.map(Double.init) }
        let (trace, logits) = try pass.forward(input, training: loss != nil, &perturbation)
        forwardPass = (pass, trace, logits)
        guard loss != nil, isFirst else { return }
        for (name, values) in trace.statistics { model.statistics[name] = values.map { Float($0) } }
    }

    /// The numbers in the step of the slots of the micro-batch at hand.
    private var stepSlots: [Int] {
        (0..<options.slots).map { options.stepSlot($0, microBatch: microBatch) - options.firstSlot }
    }

    private var computed: (pass: ReferencePass, trace: ReferencePass.Trace, logits: ReferenceTensor) {
        guard let forwardPass else { preconditionFailure("forward has not run") }
        return forwardPass
    }

    func logits(slot: Int) -> [Float] { computed.logits.slot(slot).map { Float($0) } }

    func probabilities(slot: Int, into target: UnsafeMutableBufferPointer<Float>) {
        let values = ReferenceBatchLoss.softmax(computed.logits, slot: slot).flatMap { $0 }
        precondition(target.count == values.count, "\(target.count) floats for \(classes) x \(outputSize)")
        for (index, value) in values.enumerated() { target[index] = Float(value) }
    }

    // MARK: Loss

    private var training: (definition: ReferenceLoss, pooling: Engine.Pooling) {
        guard let loss else { preconditionFailure("a network for inference has no loss") }
        return loss
    }

    var pooling: Engine.Pooling { training.pooling }

    func addSums() {
        for (slot, place) in stepSlots.enumerated() {
            lossSlots[place] = (Array(computed.logits.slot(slot)), reference(slot), labels[slot])
        }
    }

    /// There is nothing to form: ``report()`` keeps the gradients of all micro-batches.
    func softmax() {}

    private func loss(of slots: [Int]) -> ReferenceBatchLoss {
        let parts = slots.map { place -> LossSlot in
            guard let part = lossSlots[place] else { preconditionFailure("slot \(place) has no sums") }
            return part
        }
        var logits = ReferenceTensor(slots: slots.count, channels: classes, size: outputSize)
        logits.values = parts.flatMap(\.logits)
        return ReferenceBatchLoss(
            training.definition, training.pooling, logits: logits, references: parts.map(\.reference),
            labels: parts.map(\.labels))
    }

    func report() -> BatchReport {
        let whole = loss(of: Array(0..<options.stepSlots))
        stepGradient = whole.gradient
        return whole.report
    }

    /// The gradient of the step's loss with respect to the logits of the micro-batch at hand.
    private var logitsGradient: ReferenceTensor {
        switch pooling {
        case .image:
            // The mean over the slots of the step is that over the slots at hand, divided by the number of micro-batches.
            var gradient = loss(of: stepSlots).gradient
            gradient.values = gradient.values.map { $0 / Double(options.microBatches) }
            return gradient
        case .batch:
            guard let stepGradient else { preconditionFailure("the loss has not been formed") }
            var gradient = ReferenceTensor(like: computed.logits)
            gradient.values = stepSlots.flatMap { stepGradient.slot($0) }
            return gradient
        }
    }

    // MARK: Backward

    func carryGradients(isFirst: Bool) { carried = gradients(after: isFirst ? [:] : carried) }

    /// Those of the micro-batch at hand, added to others.
    private func gradients(after others: [String: [Double]]) -> [String: [Double]] {
        let found = computed.pass.backward(computed.trace, logitsGradient, &perturbation)
        return found.merging(others) { zip($0, $1).map(+) }
    }

    func backward(_ completed: (Range<Int>) throws -> Void) throws {
        for (name, values) in gradients(after: options.microBatches > 1 ? carried : [:]) {
            model.gradients[name] = values.map { Float($0) }
        }
        try completed(0..<model.gradients.count)
    }
}
