/// Sums the gradients of all ranks while backward still computes the next ones.
///
/// The gradients are one flat array. It is cut into buckets of equal size; as soon as backward has completed
/// all values of a bucket, a non-blocking sum of it over the ranks starts, in place. A step is: `completed`
/// for consecutive ranges and `poll` between operations, then `finish`, after which the array holds the sums
/// over the ranks (sums, not means), with the same bits on all ranks. With one rank nothing happens, at no
/// cost, whatever the order.
///
/// Collective: every rank must use the same bucket size and call `completed` and `finish` at the same points
/// between other collective operations. `poll` may be called anywhere.
///
/// Open MPI and MPICH move data of large messages only while the program is inside an MPI call, so that what
/// overlaps with backward depends on how often `poll`, or any other MPI call, comes: an all-reduce over N
/// ranks has some 2 (N - 1) rounds, and each needs a call to see it done and to start the next. A thread for
/// progress is not used: it needs MPI_THREAD_MULTIPLE, whose locks slow every call, and takes a core from
/// backward.
public final class GradientReducer {
    /// In which order the ranks' values are added, and as what they go over the wire: float32 where it is not
    /// said.
    public enum Order: Sendable {
        /// The one that MPI takes for the fastest.
        case any
        /// A balanced binary tree of the ranks, whose number must be a power of two: the same bits wherever
        /// it runs.
        case tree
        /// That of the ranks, with values and sums rounded to bfloat16, which halves the bytes on the wire.
        /// What rounding takes away is added to the next step's (error feedback), so that the sum over many
        /// steps is that of float32, until `forgetResiduals`. Takes memory for 1 + 1/N floats a gradient on N
        /// ranks. Numbers that are not finite survive rounding and enter no residual.
        case bfloat16
    }

    /// Values in a bucket; the last bucket may be shorter.
    public private(set) var bucketCount: Int
    /// When backward completed the gradients of the last step on this rank; of one rank too.
    public private(set) var profile = BackwardProfile()

    let communicator: any Communicator
    private let order: Order
    let gradients: UnsafeMutableBufferPointer<Float>
    private let owner: AnyObject
    private let feedback = ErrorFeedback()

    /// Ends of what backward has completed, and of what has been handed to MPI.
    private var completedEnd = 0
    private var startedEnd = 0
    private var underWay: ArraySlice<any Request> = []
    private var times = ReductionTimes()
    private var baselineSeconds: Double?
    private var recorder = BackwardProfile.Recorder()

    /// - Parameters:
    ///   - gradients: values that `completed` counts; must stay where they are, kept alive by `owner`.
    ///   - bucketMiB: size of a bucket in MiB, greater than 0; nil for an eighth of the gradients, within
    ///     0.25...16.
    public init(
        communicator: any Communicator, gradients: UnsafeMutableBufferPointer<Float>, owner: AnyObject,
        bucketMiB: Double? = nil, order: Order = .any
    ) {
        precondition(bucketMiB.map { $0 > 0 } ?? true, "a bucket of \(bucketMiB ?? 0) MiB holds nothing")
        (self.communicator, self.order) = (communicator, order)
        self.gradients = gradients
        self.owner = owner
        let mebibyte = Double(1 << 20 / MemoryLayout<Float>.stride)
        let automatic = min(max(Double(gradients.count) / 8, mebibyte / 4), mebibyte * 16)
        bucketCount = max(1, Int((bucketMiB.map { $0 * mebibyte } ?? automatic).rounded()))
    }

    /// Changes the size of a bucket to `count` values, from the next step on; at the same point on all ranks.
    public func setBucketCount(_ count: Int) {
        precondition(count > 0 && completedEnd == 0, "\(count) values a bucket, \(completedEnd) completed")
        bucketCount = count
        // Residuals are those of buckets.
        forgetResiduals()
    }

    /// Measures what the reduction takes when no backward runs beside it, on as many zeros, so that the times
    /// of the steps can tell how much of it they hide. Collective; takes as long as `repeats` reductions and
    /// one more.
    public func calibrate(repeats: Int = 5) throws(MPIError) {
        precondition(completedEnd == 0, "calibration in the middle of a step")
        guard communicator.size > 1 else { return }
        let scratch = FloatStore(zeros: gradients.count)
        let feedback = ErrorFeedback()
        var samples: [Double] = []
        for _ in 0...repeats {
            try communicator.barrier()
            let begin = ContinuousClock.now
            var requests: [any Request] = []
            for start in stride(from: 0, to: gradients.count, by: bucketCount) {
                let bucket = start..<min(start + bucketCount, gradients.count)
                requests.append(
                    try startSum(bucket, of: scratch.values, owner: scratch, feedback: feedback))
            }
            for request in requests { try request.wait() }
            samples.append(begin.secondsToNow)
        }
        // The first one warms up connections.
        baselineSeconds = samples.dropFirst().sorted()[repeats / 2]
    }

    /// Says that the gradients of `range` are final on this rank; starts the buckets that are full thereby.
    /// Ranges are consecutive and begin at 0 in every step. The corresponding C function is `MPI_Iallreduce`,
    /// or `MPI_Ialltoall` where the order of the sum is fixed.
    public func completed(_ range: Range<Int>) throws(MPIError) {
        precondition(
            range.lowerBound == completedEnd && range.upperBound <= gradients.count,
            "range \(range) does not follow \(completedEnd) of \(gradients.count) gradients")
        completedEnd = range.upperBound
        recorder.note(bytes: completedEnd * MemoryLayout<Float>.stride)
        guard communicator.size > 1, isBucketReady else { return }
        let begin = ContinuousClock.now
        defer { times.drivingSeconds += begin.secondsToNow }
        while isBucketReady {
            let bucket = startedEnd..<min(startedEnd + bucketCount, gradients.count)
            let request = try startSum(bucket, of: gradients, owner: owner, feedback: feedback)
            startedEnd = bucket.upperBound
            underWay.append(request)
            times.buckets += 1
            times.bytes += bucket.count * MemoryLayout<Float>.stride
        }
    }

    /// Starts the sum of a bucket of `values`, which are as many as the gradients.
    func startSum(
        _ bucket: Range<Int>, of values: UnsafeMutableBufferPointer<Float>, owner: AnyObject,
        feedback: ErrorFeedback
    ) throws(MPIError) -> any Request {
        let piece = values.extracting(bucket)
        switch order {
        case .any: return try communicator.startAllReduce(piece, .sum, owner: owner)
        case .tree: return try communicator.startTreeSum(piece, owner: owner)
        case .bfloat16:
            let residual = feedback.residual(of: bucket, ranks: communicator.size)
            return try communicator.startBFloat16Sum(piece, residual: residual, owner: owner)
        }
    }

    /// Drops what rounding took from the steps so far, between two steps: where a state is kept that does not
    /// hold it, and after gradients that go nowhere. All ranks must, or none.
    public func forgetResiduals() {
        precondition(completedEnd == 0, "residuals forgotten in the middle of a step")
        feedback.forget()
    }

    private var isBucketReady: Bool {
        let ready = completedEnd - startedEnd
        return ready >= bucketCount || (ready > 0 && completedEnd == gradients.count)
    }

    /// Drives the buckets under way. The corresponding C function is `MPI_Test`.
    public func poll() throws(MPIError) {
        guard !underWay.isEmpty else { return }
        let begin = ContinuousClock.now
        defer { times.drivingSeconds += begin.secondsToNow }
        while let first = underWay.first, try first.test() { underWay.removeFirst() }
        // A slice keeps what was removed from it.
        if underWay.isEmpty { underWay = [] }
    }

    /// Waits until all gradients are summed, and returns what this step took. All ranges must have been
    /// completed. The next step may begin then. The corresponding C function is `MPI_Wait`.
    public func finish() throws(MPIError) -> ReductionTimes {
        precondition(
            completedEnd == gradients.count, "\(completedEnd) of \(gradients.count) gradients are completed")
        profile = recorder.finish()
        if !underWay.isEmpty {
            let begin = ContinuousClock.now
            for request in underWay { try request.wait() }
            underWay = []
            times.blockedSeconds += begin.secondsToNow
        }
        defer {
            times = ReductionTimes()
            completedEnd = 0
            startedEnd = 0
        }
        times.baselineSeconds = baselineSeconds
        return times
    }
}

/// What the reduction of one step's gradients took on this rank.
public struct ReductionTimes: Sendable, Equatable {
    /// Seconds spent waiting in `finish`: backward was over, communication was not. Includes the wait for
    /// ranks whose backward takes longer.
    public var blockedSeconds = 0.0

    /// Seconds spent in starting buckets and driving them during backward: in MPI calls, and in rounding and
    /// adding where MPI does not add.
    public var drivingSeconds = 0.0

    /// Seconds that the same reduction takes with nothing beside it; nil if `calibrate` was not called.
    public var baselineSeconds: Double?

    /// Bytes of gradients that were reduced, 4 each whatever goes over the wire.
    public var bytes = 0
    /// Buckets that carried them, each one reduction.
    public var buckets = 0

    public init() {}

    /// Seconds of this rank's step that communication cost.
    public var communicationSeconds: Double { blockedSeconds + drivingSeconds }
}
