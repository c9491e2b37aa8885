import CPU
import Engine
import Geometry

extension Plan {
    /// All that a plan is made with beside its network: the step's part and the device's.
    struct Options {
        var slots: Int
        var firstSlot = 0
        var globalSlots: Int?
        var threads = 1
        var batchStatistics = BatchStatistics.global
        var algorithms = AlgorithmChoice()
        var gradientsBySlot = false
        var microBatches = 1
        var plansSharingMemory = 1
        var checksMemory = false

        var ofStep: StepOptions {
            StepOptions(
                slots: slots, firstSlot: firstSlot, globalSlots: globalSlots, microBatches: microBatches,
                batchStatistics: batchStatistics, gradientsBySlot: gradientsBySlot,
                networksSharingMemory: plansSharingMemory)
        }
    }

    convenience init(
        training graph: Graph, inputSize: Size3, options: Options, loss: any SegmentationLoss,
        exchange: any SlotExchange = SoloExchange(), model: Parameters? = nil,
        instructionSet: InstructionSet? = nil
    ) throws(EngineError) {
        let device = try CPUDevice(
            threads: options.threads, instructionSet: instructionSet, checksMemory: options.checksMemory)
        try self.init(
            training: graph, inputSize: inputSize, options: options.ofStep, algorithms: options.algorithms,
            loss: loss, exchange: exchange, model: model, on: device)
    }

    convenience init(
        inference graph: Graph, inputSize: Size3, slots: Int, threads: Int, sharing model: Parameters,
        algorithms: AlgorithmChoice = AlgorithmChoice(), instructionSet: InstructionSet? = nil,
        checksMemory: Bool = false
    ) throws(EngineError) {
        let device = try CPUDevice(
            threads: threads, instructionSet: instructionSet, checksMemory: checksMemory)
        try self.init(
            inference: graph, inputSize: inputSize, slots: slots, algorithms: algorithms, sharing: model,
            on: device)
    }
}
