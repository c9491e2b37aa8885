import Engine
import Geometry

/// The processors of this machine, by kernels of this program and oneDNN.
public struct CPUDevice: Device {
    /// Threads of this rank.
    public let threads: Int
    public let instructionSet: InstructionSet
    /// Whether networks look for faults of their own, for tests: memory is NaN until it is written, and
    /// writing memory that is not an operation's own ends the step in `EngineError.memoryOverwritten`. It
    /// takes a multiple of the time.
    public let checksMemory: Bool

    /// - Parameter instructionSet: ``InstructionSet/selected()`` where nil.
    /// - Throws: `EngineError.instructionSet` where `DICERANK_ISA` names one that this machine lacks.
    public init(threads: Int, instructionSet: InstructionSet? = nil, checksMemory: Bool = false)
        throws(EngineError)
    {
        precondition(threads > 0, "\(threads) threads")
        // oneDNN is held to what is selected, whatever this device runs.
        let selected = try InstructionSet.selected()
        self.instructionSet = instructionSet ?? selected
        (self.threads, self.checksMemory) = (threads, checksMemory)
    }

    public var name: String { "\(instructionSet) kernels" }

    public var libraries: [String: String] { ["onednn": OneDNN.version] }

    public func compile(
        training graph: Graph, inputSize: Size3, options: StepOptions, algorithms: AlgorithmChoice,
        loss: any SegmentationLoss, exchange: any SlotExchange, model: Parameters
    ) throws(EngineError) -> any TrainableNetwork {
        try Plan(
            training: graph, inputSize: inputSize, options: options, algorithms: algorithms, loss: loss,
            exchange: exchange, model: model, on: self)
    }

    public func compile(
        inference graph: Graph, inputSize: Size3, slots: Int, algorithms: AlgorithmChoice,
        sharing model: Parameters
    ) throws(EngineError) -> any CompiledNetwork {
        try Plan(
            inference: graph, inputSize: inputSize, slots: slots, algorithms: algorithms, sharing: model,
            on: self)
    }

    public func timeAlgorithms(
        of graph: Graph, inputSize: Size3, slots: Int
    ) throws(EngineError) -> [AlgorithmTiming] {
        try AlgorithmTiming.measure(graph, inputSize: inputSize, slots: slots, on: self)
    }
}
