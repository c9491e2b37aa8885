/// A sum over the ranks of which each rank adds up one part.
///
/// The values of a rank are cut into as many parts of equal length as there are ranks, filled up with zeros
/// at the end. Part r of all ranks goes to rank r, which adds them up; then the sums of all parts go to all
/// ranks, which so hold the same bits. Over the wire goes as much as with a ring: 2 (N - 1) / N elements a
/// value and rank. What is sent for a value, and in which order values are added, is up to the sum.
public protocol PartwiseSum: AnyObject {
    /// What is sent for a value. A value of 0 is one whose bits are all 0.
    associatedtype Element: BitwiseCopyable & Sendable

    /// Values of each rank.
    var count: Int { get }

    /// Writes what this rank sends into `sent`, `count` elements.
    func pack(into sent: UnsafeMutableBufferPointer<Element>)

    /// Adds up the part of this rank. `received` is laid out [rank][element], `part` elements of each rank;
    /// the sums take the place of those of rank 0.
    func add(_ received: UnsafeMutableBufferPointer<Element>, part: Int)

    /// Takes the sums of all parts, `count` elements.
    func unpack(_ sums: UnsafeMutableBufferPointer<Element>)
}

extension PartwiseSum {
    /// Elements of a part among `ranks` of them.
    public func part(ranks: Int) -> Int { (count + ranks - 1) / ranks }
}

extension Communicator {
    /// Starts replacing element i of every rank's buffer by the sum of element i over the ranks, added in a
    /// balanced binary tree of the ranks, so that the result depends neither on MPI nor on timing; `size`
    /// must be a power of two. For `buffer` and `owner` holds what `startAllReduce` says, for the order of
    /// requests what `startPartwiseSum` says. The corresponding C functions are `MPI_Ialltoall` and
    /// `MPI_Iallgather`.
    public func startTreeSum(
        _ buffer: UnsafeMutableBufferPointer<Float>, owner: AnyObject
    ) throws(MPIError) -> any Request {
        precondition(size & (size - 1) == 0, "a tree of \(size) ranks, no power of two")
        guard size > 1 else { return CompleteRequest() }
        return try startPartwiseSum(TreeSum(buffer, owner: owner))
    }

    /// Starts replacing element i of every rank's buffer by the sum of element i over the ranks, of which
    /// both values and sums go over the wire as bfloat16; as many bytes as half a ring of floats. Without
    /// residuals, the sum is off by at most 1/127 of the sum of the absolute values. With one rank nothing
    /// changes. For `buffer` and `owner` holds what `startAllReduce` says, for the order of requests what
    /// `startPartwiseSum` says. The corresponding C functions are `MPI_Ialltoall` and `MPI_Iallgather`.
    /// - Parameter residual: what earlier sums left over, and at the end what this one does. Must be that of
    ///   no other sum under way, with as many values and ranks.
    func startBFloat16Sum(
        _ buffer: UnsafeMutableBufferPointer<Float>, residual: BucketResidual, owner: AnyObject
    ) throws(MPIError) -> any Request {
        guard size > 1 else { return CompleteRequest() }
        return try startPartwiseSum(BFloat16Sum(buffer, residual: residual, owner: owner))
    }
}
