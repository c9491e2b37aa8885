import Geometry

/// Where networks run: compiles graphs and does the flat passes over parameters.
///
/// The seam is the whole graph, not the operation: layouts, fusion, memory and order are a device's own
/// affair. Parameters, gradients and an optimiser's state lie in the host's memory, from which they go out on
/// the wire and into checkpoints; a device with memory of its own keeps a copy.
public protocol Device: Sendable {
    /// What runs, for logs: such as "avx2 kernels".
    var name: String { get }
    /// The versions of the libraries that it computes with, by their names in a run's summary.
    var libraries: [String: String] { get }

    /// A network that trains.
    ///
    /// It belongs to the thread that compiles it.
    /// - Parameters:
    ///   - inputSize: Of a patch.
    ///   - algorithms: Of the convolutions; a device that has one way to do them passes over it.
    ///   - exchange: How values of other ranks' slots are had.
    ///   - model: Its gradients are written by backward, its running statistics by forward.
    /// - Throws: `EngineError` where the patch is too small or memory does not suffice.
    func compile(
        training graph: Graph, inputSize: Size3, options: StepOptions, algorithms: AlgorithmChoice,
        loss: any SegmentationLoss, exchange: any SlotExchange, model: Parameters
    ) throws(EngineError) -> any TrainableNetwork

    /// A network that infers with the running statistics of `model`, `slots` windows of `inputSize` at a
    /// time.
    ///
    /// It belongs to the thread that compiles it.
    /// - Throws: As above.
    func compile(
        inference graph: Graph, inputSize: Size3, slots: Int, algorithms: AlgorithmChoice,
        sharing model: Parameters
    ) throws(EngineError) -> any CompiledNetwork

    /// Times the algorithms of every convolution for which there is a choice; empty where there is none.
    /// - Parameter slots: Patches of a rank in a micro-batch.
    func timeAlgorithms(of graph: Graph, inputSize: Size3, slots: Int) throws(EngineError)
        -> [AlgorithmTiming]

    /// Whether all values are finite numbers.
    func isFinite(_ arena: ParameterArena) -> Bool

    /// The Euclidean norm of all values, from a sum in double that has the same bits however many threads
    /// form it.
    func norm(_ arena: ParameterArena) -> Double

    /// Multiplies every value by `factor`.
    func scale(_ arena: ParameterArena, by factor: Float)

    /// Changes parameters and the optimiser's state in one flat pass, element by element, in float32, with
    /// the same bits however many threads do it.
    /// - Parameter state: As many arenas as the rule keeps, in its order.
    func update(
        _ parameters: ParameterArena, gradients: ParameterArena, state: [ParameterArena],
        by rule: UpdateRule)
}
