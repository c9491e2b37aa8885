/// The ranks of one job and the operations that they carry out together.
///
/// Every method but the properties is *collective*: all ranks must call the same ones, in the same order,
/// with the same counts. None is thread safe; calls from one thread at a time are. Counts are not limited to
/// 32 bits: what is too long for one MPI call is sent in several.
public protocol Communicator: AnyObject {
    /// This process among the ranks: `0..<size`.
    var rank: Int { get }

    /// Number of ranks.
    var size: Int { get }

    /// Host of every rank, by rank.
    var hostNames: [String] { get }

    /// Ranks that run on the node of this one, itself included, ascending.
    var ranksOnNode: [Int] { get }

    /// Replaces element i of every rank's buffer by the reduction of element i over all ranks. All ranks
    /// receive the same bits. The corresponding C function is `MPI_Allreduce`.
    func allReduce<Element: Reducible>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
    ) throws(MPIError)

    /// Starts `allReduce` and returns. `buffer` must be neither read nor written until the request is
    /// complete; `owner`, which keeps its memory alive, is held until then, even when the request is dropped.
    /// The corresponding C function is `MPI_Iallreduce`.
    func startAllReduce<Element: Reducible>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction, owner: AnyObject
    ) throws(MPIError) -> any Request

    /// Starts a sum of which each rank adds up a part; `sum` is held until it is complete, even when the
    /// request is dropped. Requests of such sums must be completed in the order in which they were started.
    /// The corresponding C functions are `MPI_Ialltoall` and `MPI_Iallgather`.
    func startPartwiseSum<Sum: PartwiseSum>(_ sum: Sum) throws(MPIError) -> any Request

    /// Fills `all`, laid out [rank][element], with the `local` elements of every rank. `all` must hold
    /// `size * local.count` elements and not overlap `local`. The corresponding C function is
    /// `MPI_Allgather`.
    func allGather<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>
    ) throws(MPIError)

    /// Starts `allGather` of a few elements, which fit one MPI call, and returns. `local` and `all` must stay
    /// as they are until the request is complete; for `owner` holds what `startAllReduce` says. The
    /// corresponding C function is `MPI_Iallgather`.
    func startAllGather<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>, owner: AnyObject
    ) throws(MPIError) -> any Request

    /// Copies the bytes of rank `root` over those of all others. The corresponding C function is `MPI_Bcast`.
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MPIError)

    /// What every rank gave, by rank, on rank `root`; an empty array elsewhere. Ranks may give different
    /// numbers of bytes. The corresponding C functions are `MPI_Send` and `MPI_Recv`, so that no total is too
    /// long.
    func gather(_ bytes: [UInt8], to root: Int) throws(MPIError) -> [[UInt8]]

    /// The ranks that give the same `color`, which are as many communicators as there are colors. Each lives
    /// as long as this one, so that nothing under way in it is lost. The corresponding C function is
    /// `MPI_Comm_split`.
    /// - Parameters:
    ///   - color: at least 0.
    ///   - key: ranks of a color are ordered by it, then by their order here.
    func split(color: Int, key: Int) throws(MPIError) -> any Communicator

    /// Returns once all ranks have called it. The corresponding C function is `MPI_Barrier`.
    func barrier() throws(MPIError)
}

/// An operation under way.
public protocol Request: AnyObject {
    /// Whether it is complete; drives its progress. The corresponding C function is `MPI_Test`.
    func test() throws(MPIError) -> Bool

    /// Returns once it is complete. The corresponding C function is `MPI_Wait`.
    func wait() throws(MPIError)
}

/// How `allReduce` joins the values of the ranks.
public enum Reduction: Sendable, CaseIterable {
    case sum
    case minimum
    case maximum
}

/// How an element is named to MPI.
public enum WireType: Sendable {
    case byte
    case int64
    case float
    case double
}

/// A number or byte that ranks can send each other.
public protocol WireElement: BitwiseCopyable, Sendable {
    static var wireType: WireType { get }
}

/// A number that ranks can reduce.
public protocol Reducible: WireElement, Comparable, Numeric {}

extension UInt8: WireElement {
    public static var wireType: WireType { .byte }
}

extension Int64: Reducible {
    public static var wireType: WireType { .int64 }
}

extension Float: Reducible {
    public static var wireType: WireType { .float }
}

extension Double: Reducible {
    public static var wireType: WireType { .double }
}
