import CKernels
import Engine
import Geometry
import Host

/// A network compiled for one patch size, number of slots and number of threads.
///
/// Buffers are laid out once, convolutions are compiled once; a step then only runs passes. A plan belongs to
/// the thread that made it: OpenMP's pool is that thread's.
public final class Plan: TrainableNetwork {
    public let inputSize: Size3
    public let outputSize: Size3
    public let inputChannels: Int
    public let classes: Int
    public let options: StepOptions
    public let algorithms: AlgorithmChoice
    public let model: Parameters
    let device: CPUDevice
    /// What of the loss does not depend on the device; nil for a plan that infers.
    private let loss: StepLoss?
    let schedule: Schedule
    let head: LossHead?
    let context: Context
    private let arena: FloatStorage
    private let memoryCheck: MemoryCheck?
    public var observer: ((OperationReport) -> Void)?
    /// [slot][channel][voxel], as the sampler writes it.
    let staging: FloatStorage

    /// A plan that trains.
    ///
    /// - Parameters:
    ///   - exchange: How values of other ranks' slots are had.
    ///   - model: Its gradients are written by `backward`, its running statistics by `forward`; new if nil.
    /// - Throws: `EngineError` where the patch is too small or memory does not suffice.
    public convenience init(
        training graph: Graph, inputSize: Size3, options: StepOptions,
        algorithms: AlgorithmChoice = AlgorithmChoice(), loss: any SegmentationLoss,
        exchange: any SlotExchange = SoloExchange(), model: Parameters? = nil, on device: CPUDevice
    ) throws(EngineError) {
        try self.init(
            graph, inputSize: inputSize, options: options, algorithms: algorithms, loss: loss,
            exchange: exchange, model: model ?? Parameters(graph: graph), on: device)
    }

    /// A plan that infers with the running statistics, `slots` windows at a time.
    public convenience init(
        inference graph: Graph, inputSize: Size3, slots: Int,
        algorithms: AlgorithmChoice = AlgorithmChoice(), sharing model: Parameters, on device: CPUDevice
    ) throws(EngineError) {
        try self.init(
            graph, inputSize: inputSize, options: StepOptions(slots: slots), algorithms: algorithms,
            loss: nil, exchange: SoloExchange(), model: model, on: device)
    }

    private init(
        _ graph: Graph, inputSize: Size3, options: StepOptions, algorithms: AlgorithmChoice,
        loss: (any SegmentationLoss)?, exchange: any SlotExchange, model: Parameters, on device: CPUDevice
    ) throws(EngineError) {
        (self.inputSize, self.options, self.algorithms) = (inputSize, options, algorithms)
        (self.model, self.device) = (model, device)
        guard (0..<3).allSatisfy({ inputSize[$0] <= Graph.largestEdge }) else {
            throw .patchTooLarge(input: inputSize, largest: Graph.largestEdge)
        }
        outputSize = try graph.outputSize(inputSize: inputSize)
        inputChannels = graph.channels(of: graph.input)
        classes = graph.output.map(graph.channels(of:)) ?? 0
        dr_set_threads(Int32(device.threads))
        context = Context(options: options, device: device, exchange: exchange, model: model)
        let lowered = try LoweredGraph(graph, inputSize: inputSize, instructionSet: device.instructionSet)
        schedule = try Schedule(lowered, context: context, training: loss != nil, algorithms: algorithms)
        let floats = context.planner.layOut()
        let perSlot = inputChannels * inputSize.count + (loss == nil ? 0 : (classes + 1) * outputSize.count)
        let needed =
            (floats + options.slots * perSlot) * MemoryLayout<Float>.stride + context.extraGradientBytes
        // Memory is taken when it is first written: plans of other ranks that are made now have not taken
        // theirs yet.
        let plans = options.networksSharingMemory
        if let available = Memory.availableBytes, needed > available / plans {
            throw .memory(
                needed: needed, available: available, input: inputSize, slots: options.slots, plans: plans)
        }
        arena = FloatStorage(count: floats)
        context.planner.bind(to: arena)
        memoryCheck = device.checksMemory ? MemoryCheck(context.planner, arena: arena) : nil
        staging = FloatStorage(count: options.slots * inputChannels * inputSize.count)
        let (classes, outputSize, context) = (classes, outputSize, context)
        let stepLoss = loss.map {
            StepLoss(
                $0, classes: classes, voxels: outputSize.count, options: options, exchange: exchange)
        }
        self.loss = stepLoss
        head = stepLoss.map {
            LossHead(classes: classes, outputSize: outputSize, loss: $0, context: context)
        }
    }

    public var peakBytes: Int {
        arena.bytes + staging.bytes + (head?.bytes ?? 0) + context.extraGradientBytes
    }

    public var summary: String {
        schedule.forward.filter { $0.kind == .convolution }.map { "\($0.name): \($0.algorithm)" }
            .joined(separator: "\n")
    }

    // MARK: A step

    public func forward(seed: UInt64, step: Int, microBatch: Int, isFirst: Bool) throws {
        context.noise = (seed, step)
        (context.microBatch, context.movesStatistics) = (microBatch, isFirst)
        dr_set_threads(Int32(device.threads))
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

    private var trainingHead: LossHead { required(head) }

    private func required<T>(_ part: T?) -> T {
        guard let part else { preconditionFailure("a plan for inference has no loss") }
        return part
    }

    public var pooling: Pooling { required(loss).pooling }

    public func addSums() { trainingHead.addSums(logits: schedule.logits) }

    public func softmax() { trainingHead.softmax(logits: schedule.logits) }

    public func report() throws -> BatchReport { try required(loss).report() }

    public func backward(_ completed: (Range<Int>) throws -> Void) throws {
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
        dr_set_threads(Int32(device.threads))
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

    /// The sum over this rank's slots of a range that is final, to the model's gradients, which are the first
    /// slot's.
    private func addSlots(_ range: Range<Int>) {
        let slots = context.slotGradients
        guard slots.count > 1, !range.isEmpty else { return }
        SlotTree.additions(slots.count) { slots[$0].add(slots[$1], range) }
    }
}
