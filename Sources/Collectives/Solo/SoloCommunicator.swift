import Host

/// One rank without MPI: every operation is the identity, at no cost.
public final class SoloCommunicator: Communicator {
    public let rank = 0
    public let size = 1
    public let hostNames: [String]
    public let ranksOnNode = [0]

    public init() { hostNames = [Machine.name] }

    public func allReduce<Element: Reducible>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
    ) throws(MPIError) {}

    public func startAllReduce<Element: Reducible>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction, owner: AnyObject
    ) throws(MPIError) -> any Request { CompleteRequest() }

    public func startPartwiseSum<Sum: PartwiseSum>(_ sum: Sum) throws(MPIError) -> any Request {
        CompleteRequest()
    }

    public func allGather<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>
    ) throws(MPIError) {
        checkGatherCounts(local: local.count, all: all.count)
        _ = all.update(fromContentsOf: local)
    }

    public func startAllGather<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>, owner: AnyObject
    ) throws(MPIError) -> any Request {
        try allGather(local, into: all)
        return CompleteRequest()
    }

    public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MPIError) {
        checkRoot(root)
    }

    public func gather(_ bytes: [UInt8], to root: Int) throws(MPIError) -> [[UInt8]] {
        checkRoot(root)
        return [bytes]
    }

    public func split(color: Int, key: Int) throws(MPIError) -> any Communicator {
        checkColor(color)
        return self
    }

    public func barrier() throws(MPIError) {}
}

/// The request of an operation that had nothing to do.
final class CompleteRequest: Request {
    func test() throws(MPIError) -> Bool { true }
    func wait() throws(MPIError) {}
}

extension Communicator {
    func checkRoot(_ root: Int) {
        precondition((0..<size).contains(root), "root \(root) is not one of \(size) ranks")
    }

    func checkColor(_ color: Int) { precondition(color >= 0, "the color \(color) is below 0") }

    func checkGatherCounts(local: Int, all: Int) {
        precondition(all == size * local, "\(all) elements cannot hold \(local) of each of \(size) ranks")
    }
}
