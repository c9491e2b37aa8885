import Geometry

/// A network that a device has compiled for one input size and number of slots.
public protocol CompiledNetwork: AnyObject {
    /// Voxels of a patch.
    var inputSize: Size3 { get }
    /// Voxels of the logits.
    var outputSize: Size3 { get }
    var inputChannels: Int { get }
    /// Channels of the logits.
    var classes: Int { get }
    var options: StepOptions { get }
    /// The algorithms that were asked for.
    var algorithms: AlgorithmChoice { get }
    /// Bytes that the network holds for activations, gradients and patches, the parameters not counted.
    var peakBytes: Int { get }
    /// The convolutions in the order of the forward pass with the algorithm of each, one a line.
    var summary: String { get }
    /// Is told of every operation that has run; for profiles and timelines.
    var observer: ((OperationReport) -> Void)? { get set }

    /// A slot's patch, [channel][depth][height][width], to be written before forward.
    func withInput<R>(slot: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R) rethrows -> R

    /// Runs the network on the patches of ``withInput(slot:_:)``.
    ///
    /// - Parameters:
    ///   - seed: In training dropout is drawn from it, `step` and the slot of the step; backward draws the
    ///     same.
    ///   - microBatch: The one that the slots hold, 0 ..< `options.microBatches`.
    ///   - isFirst: Whether this step has not seen the micro-batch: in training its statistics then move the
    ///     running ones.
    func forward(seed: UInt64, step: Int, microBatch: Int, isFirst: Bool) throws

    /// A slot's logits, [class][depth][height][width]; between forward and backward, which takes their
    /// memory.
    func logits(slot: Int) -> [Float]

    /// The softmax of a slot's logits after forward, [class][depth][height][width].
    func probabilities(slot: Int, into target: UnsafeMutableBufferPointer<Float>)
}

extension CompiledNetwork {
    /// Runs the network where a step has one micro-batch.
    public func forward(seed: UInt64 = 0, step: Int = 0) throws {
        precondition(
            options.microBatches == 1, "MicroBatches runs a step of \(options.microBatches) micro-batches")
        try forward(seed: seed, step: step, microBatch: 0, isFirst: true)
    }
}

/// A compiled network with a loss and gradients. ``MicroBatches`` runs its steps.
public protocol TrainableNetwork: CompiledNetwork {
    /// Forward moves its running statistics, backward writes its gradients.
    var model: Parameters { get }
    /// Over what the sums of the loss are formed.
    var pooling: Pooling { get }

    /// A slot's reference, the class of each voxel of `outputSize`, [depth][height][width], below `classes`.
    func withReference<R>(slot: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) throws -> R) rethrows -> R

    /// A slot's reference as probabilities, [class][depth][height][width] of `outputSize`; at each voxel they
    /// add up to 1.
    ///
    /// From the first call on the loss and its gradient are taken against these, in every slot, and the
    /// labels of ``withReference(slot:_:)`` decide only which voxels count as foreground in the DSC. All are
    /// zero at first. They take `4 * classes * outputSize.count` bytes a slot.
    func withSoftReference<R>(slot: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R) rethrows
        -> R

    /// Forms what the loss takes of the micro-batch that forward has run on.
    func addSums()

    /// Forms what backward takes of a micro-batch that forward has run on again.
    func softmax()

    /// The loss of the step over the slots of all ranks, whose sums are all there; a collective call where
    /// the network has an exchange.
    func report() throws -> BatchReport

    /// Runs backward of a micro-batch that others follow and adds its gradients to what is carried on to
    /// them.
    func carryGradients(isFirst: Bool) throws

    /// Runs backward of the last micro-batch: the gradients of the step's loss into the model's, from this
    /// rank's slots. Ranks add theirs up.
    /// - Parameter completed: Called after each operation with the range of the arena that it made final:
    ///   ascending, contiguous, at times empty.
    func backward(_ completed: (Range<Int>) throws -> Void) throws
}

extension TrainableNetwork {
    /// The loss of the global batch where a step has one micro-batch; a collective call where the network has
    /// an exchange.
    public func loss() throws -> BatchReport {
        addSums()
        return try report()
    }

    public func backward() throws { try backward { _ in } }
}
