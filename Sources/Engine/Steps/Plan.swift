import CKernels
import Geometry

/// A network compiled for one patch size, number of slots and number of threads.
///
/// Buffers are laid out once, convolutions are compiled once; a step then only runs passes. A plan belongs to the
/// thread that made it: OpenMP's pool is that thread's.
public final class Plan {
    public struct Options: Sendable, Hashable {
        /// Patches of this rank in a micro-batch.
        public var slots: Int
        /// The number of its first slot in the step.
        public var firstSlot: Int
        /// Patches of all ranks in a micro-batch.
        public var globalSlots: Int
        /// Micro-batches of a step, at least 1. With more, ``MicroBatches`` runs steps, and there is memory for their
        /// gradients once more.
        public var microBatches: Int
        /// Threads of this rank.
        public var threads: Int
        public var batchStatistics: BatchStatistics
        public var algorithms: AlgorithmChoice
        /// Whether gradients are formed a slot at a time and added in the order of ``SlotTree``, so that they do not depend
        /// on how slots are dealt to ranks. It takes memory for the gradients of each slot.
        public var gradientsBySlot: Bool
        /// Whether the plan looks for faults of its own, for tests: memory is NaN until it is written, and writing memory
        /// that is not an operation's own ends the step in `EngineError.memoryOverwritten`. It takes a multiple of the time.
        public var checksMemory: Bool
        /// Plans of so many ranks take from the same memory at the same time, this one included: those of a node.
        public var plansSharingMemory: Int

        public init(
            slots: Int, firstSlot: Int = 0, globalSlots: Int? = nil, threads: Int = 1,
            batchStatistics: BatchStatistics = .global, algorithms: AlgorithmChoice = AlgorithmChoice(),
            gradientsBySlot: Bool = false, microBatches: Int = 1, plansSharingMemory: Int = 1,
            checksMemory: Bool = false
        ) {
            (self.slots, self.firstSlot, self.globalSlots) = (slots, firstSlot, globalSlots ?? slots)
            (self.threads, self.batchStatistics, self.algorithms) = (threads, batchStatistics, algorithms)
            (self.gradientsBySlot, self.microBatches) = (gradientsBySlot, microBatches)
            (self.plansSharingMemory, self.checksMemory) = (plansSharingMemory, checksMemory)
        }
    }

    public let inputSize: Size3
    /// The extent of the logits.
    public let outputSize: Size3
    public let inputChannels: Int
    /// Channels of the logits.
    public let classes: Int
    public let options: Options
    public let model: Parameters
    public let instructionSet: InstructionSet
    let schedule: Schedule
    let head: LossHead?
    let context: Context
    private let arena: FloatStorage
    private let memoryCheck: MemoryCheck?
    /// Is told of every operation that has run; for profiles and timelines.
    public var observer: ((OperationReport) -> Void)?
    /// [slot][channel][voxel], as the sampler writes it.
    let staging: FloatStorage

    /// A plan that trains.
    ///
    /// - Parameters:
    ///   - model: Its gradients are written by `backward`, its running statistics by `forward`; new if nil.
    ///   - exchange: How values of other ranks' slots are had.
    /// - Throws: `EngineError` where the patch is too small or memory does not suffice.
    public convenience init(
        training graph: Graph, inputSize: Size3, options: Options, loss: any SegmentationLoss,
        exchange: any SlotExchange = SoloExchange(), model: Parameters? = nil,
        instructionSet: InstructionSet? = nil
    ) throws(EngineError) {
        try self.init(
            graph, inputSize: inputSize, options: options, loss: loss, exchange: exchange,
            model: model ?? Parameters(graph: graph), instructionSet: instructionSet)
    }

    /// A plan that infers with the running statistics, `slots` windows at a time.
    public convenience init(
        inference graph: Graph, inputSize: Size3, slots: Int, threads: Int, sharing model: Parameters,
        algorithms: AlgorithmChoice = AlgorithmChoice(), instructionSet: InstructionSet? = nil,
        checksMemory: Bool = false
    ) throws(EngineError) {
        try self.init(
            graph, inputSize: inputSize,
            options: Options(
                slots: slots, threads: threads, algorithms: algorithms, checksMemory: checksMemory),
            loss: nil,
            exchange: SoloExchange(), model: model, instructionSet: instructionSet)
    }

    private init(
        _ graph: Graph, inputSize: Size3, options: Options, loss: (any SegmentationLoss)?,
        exchange: any SlotExchange,
        model: Parameters, instructionSet: InstructionSet?
    ) throws(EngineError) {
        precondition(
            options.slots > 0 && options.threads > 0 && options.microBatches > 0
                && options.plansSharingMemory > 0,
            "\(options.slots) slots on \(options.threads) threads, \(options.microBatches) micro-batches, "
                + "\(options.plansSharingMemory) plans in the memory")
        let selected = try InstructionSet.selected()
        let instructions = instructionSet ?? selected
        (self.inputSize, self.options, self.model, self.instructionSet) = (
            inputSize, options, model, instructions
        )
        guard (0..<3).allSatisfy({ inputSize[$0] <= Graph.largestEdge }) else {
            throw .patchTooLarge(input: inputSize, largest: Graph.largestEdge)
        }
        outputSize = try graph.outputSize(inputSize: inputSize)
        inputChannels = graph.channels(of: graph.input)
        classes = graph.output.map(graph.channels(of:)) ?? 0
        dr_set_threads(Int32(options.threads))
        context = Context(options: options, instructionSet: instructions, exchange: exchange, model: model)
        let lowered = try LoweredGraph(graph, inputSize: inputSize, instructionSet: instructions)
        schedule = try Schedule(
            lowered, context: context, training: loss != nil, algorithms: options.algorithms)
        let floats = context.planner.layOut()
        let perSlot = inputChannels * inputSize.count + (loss == nil ? 0 : (classes + 1) * outputSize.count)
        let needed =
            (floats + options.slots * perSlot) * MemoryLayout<Float>.stride + context.extraGradientBytes
        // Memory is taken when it is first written: plans of other ranks that are made now have not taken theirs yet.
        let plans = options.plansSharingMemory
        if let available = Memory.availableBytes, needed > available / plans {
            throw .memory(
                needed: needed, available: available, input: inputSize, slots: options.slots, plans: plans)
        }
        arena = FloatStorage(count: floats)
        context.planner.bind(to: arena)
        memoryCheck = options.checksMemory ? MemoryCheck(context.planner, arena: arena) : nil
        staging = FloatStorage(count: options.slots * inputChannels * inputSize.count)
        let context = context
        let outputSize = outputSize
        let classes = classes
        head = loss.map {
            LossHead(classes: classes, outputSize: outputSize, loss: $0, context: context)
        }
    }

    /// Bytes that the plan holds for activations, gradients and patches, the parameters not counted.
    public var peakBytes: Int {
        arena.bytes + staging.bytes + (head?.bytes ?? 0) + context.extraGradientBytes
    }

    /// The operations in the order of the forward pass with the algorithm of each, one a line.
    public var summary: String {
        schedule.forward.filter { $0.kind == .convolution }.map { "\($0.name): \($0.algorithm)" }
            .joined(separator: "\n")
    }

    // MARK: A step

    /// Runs the network on the patches of `withInput`.
    ///
    /// - Parameters: Dropout is drawn from `seed`, `step` and the slot; `backward` draws the same.
    public func forward(seed: UInt64 = 0, step: Int = 0) throws {
        precondition(
            options.microBatches == 1, "MicroBatches runs a step of \(options.microBatches) micro-batches")
        try forward(seed: seed, step: step, microBatch: 0, isFirst: true)
    }

    /// - Parameter isFirst: Whether this step has not seen the micro-batch: its statistics then move the running ones.
    func forward(seed: UInt64, step: Int, microBatch: Int, isFirst: Bool) throws {
        context.noise = (seed, step)
        (context.microBatch, context.movesStatistics) = (microBatch, isFirst)
        dr_set_threads(Int32(options.threads))
        memoryCheck?.begin()
        try run(Step(name: "packing", kind: .movement) { [self] in packInput() }, .forward)
        for step in schedule.forward { try run(step, .forward) }
    }

    private func run(_ step: Step, _ pass: OperationReport.Pass) throws {
        memoryCheck?.prepare(time: step.time)
        try observe(step, pass)
        try memoryCheck?.verify(time: step.time, operation: step.name)
    }

    private func observe(_ step: Step, _ pass: OperationReport.Pass) throws {
        guard let observer else { return try step.run() }
        let start = ContinuousClock.now
        try step.run()
        observer(
            OperationReport(
                name: step.name, pass: pass, kind: step.kind, algorithm: step.algorithm,
                operations: step.operations, begin: start, duration: start.duration(to: .now)))
    }

    private var trainingHead: LossHead {
        guard let head else { preconditionFailure("a plan for inference has no loss") }
        return head
    }

    var pooling: Pooling { trainingHead.pooling }

    /// Forms what the loss takes of the micro-batch that `forward` has run on.
    func addSums() { trainingHead.addSums(logits: schedule.logits) }

    /// Forms what `backward` takes of the micro-batch that `forward` has run on again.
    func softmax() { trainingHead.softmax(logits: schedule.logits) }

    /// The loss of the global batch against `withReference`; a collective call where the plan has an exchange.
    public func loss() throws -> BatchReport {
        addSums()
        return try trainingHead.report()
    }

    /// Gradients of the last `loss` into `model.gradients`.
    ///
    /// They are of the global batch's loss, from this rank's slots: ranks add theirs up.
    /// - Parameter completed: Called after each operation with the range of the arena that it made final: ascending,
    ///   contiguous, at times empty.
    public func backward(_ completed: (Range<Int>) throws -> Void = { _ in }) throws {
        try eachFinalRange { range in
            addCarried(range)
            addSlots(range)
            try completed(range)
        }
    }

    /// Runs backward; calls with the ranges of this micro-batch's gradients as they become final.
    func eachFinalRange(_ body: (Range<Int>) throws -> Void) throws {
        guard let head, let gradient = schedule.logitsGradient else {
            preconditionFailure("a plan for inference has no gradients")
        }
        dr_set_threads(Int32(options.threads))
        try run(
            Step(name: "loss", kind: .elementwise, time: schedule.forwardEnd) {
                head.backward(gradient: gradient)
            }, .backward)
        var done = 0
        for (index, step) in schedule.backward.enumerated() {
            try run(step, .backward)
            let final = done..<schedule.completed[index]
            try body(final)
            done = final.upperBound
        }
    }

    /// The sum over this rank's slots of a range that is final, to the model's gradients, which are the first slot's.
    private func addSlots(_ range: Range<Int>) {
        let slots = context.slotGradients
        guard slots.count > 1, !range.isEmpty else { return }
        SlotTree.additions(slots.count) { slots[$0].add(slots[$1], range) }
    }
}
