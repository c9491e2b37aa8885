/// Is told what this rank does in a communicator: for those who watch it, and for those who draw it.
public protocol CommunicationObserver: AnyObject {
    /// A call begins that returns when other ranks have done their part. Calls do not nest.
    /// - Parameters:
    ///   - call: such as "MPI_Allreduce", or "MPI_Wait (MPI_Iallreduce)" for an operation that began before.
    ///   - bytes: what this rank gives; 0 for a wait.
    func callBegins(_ call: String, bytes: Int)

    /// It has returned or thrown.
    func callEnds()

    /// An operation begins that goes on beside the program, until `operationEnds` with the same number.
    func operationBegins(_ number: Int, call: String, bytes: Int)

    /// The rank has seen that the operation is complete.
    func operationEnds(_ number: Int)
}

/// A communicator that tells observers of every operation, and else is the one it wraps.
public final class ObservedCommunicator: Communicator {
    private let base: any Communicator
    private let observers: [any CommunicationObserver]
    private var operations = 0

    public init(_ base: any Communicator, observers: [any CommunicationObserver]) {
        (self.base, self.observers) = (base, observers)
    }

    public var rank: Int { base.rank }
    public var size: Int { base.size }
    public var hostNames: [String] { base.hostNames }
    public var ranksOnNode: [Int] { base.ranksOnNode }

    fileprivate func observe<Result>(
        _ call: String, bytes: Int, _ body: () throws(MPIError) -> Result
    ) throws(MPIError) -> Result {
        for observer in observers { observer.callBegins(call, bytes: bytes) }
        defer { for observer in observers { observer.callEnds() } }
        return try body()
    }

    /// Observers hear of an operation before it is started: what a rank is about to do is what it may be
    /// stuck in.
    private func start(
        _ call: String, bytes: Int, _ body: () throws(MPIError) -> any Request
    ) throws(MPIError) -> any Request {
        operations += 1
        for observer in observers { observer.operationBegins(operations, call: call, bytes: bytes) }
        return ObservedRequest(try body(), number: operations, call: call, communicator: self)
    }

    fileprivate func ended(_ number: Int) {
        for observer in observers { observer.operationEnds(number) }
    }

    public func allReduce<Element: Reducible>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
    ) throws(MPIError) {
        try observe("MPI_Allreduce", bytes: buffer.bytes) { () throws(MPIError) in
            try base.allReduce(buffer, reduction)
        }
    }

    public func startAllReduce<Element: Reducible>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction, owner: AnyObject
    ) throws(MPIError) -> any Request {
        try start("MPI_Iallreduce", bytes: buffer.bytes) { () throws(MPIError) in
            try base.startAllReduce(buffer, reduction, owner: owner)
        }
    }

    public func startPartwiseSum<Sum: PartwiseSum>(_ sum: Sum) throws(MPIError) -> any Request {
        try start("MPI_Ialltoall and MPI_Iallgather", bytes: sum.count * MemoryLayout<Sum.Element>.stride) {
            () throws(MPIError) in
            try base.startPartwiseSum(sum)
        }
    }

    public func allGather<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>
    ) throws(MPIError) {
        try observe("MPI_Allgather", bytes: UnsafeRawBufferPointer(local).count) { () throws(MPIError) in
            try base.allGather(local, into: all)
        }
    }

    public func startAllGather<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>, owner: AnyObject
    ) throws(MPIError) -> any Request {
        try start("MPI_Iallgather", bytes: UnsafeRawBufferPointer(local).count) { () throws(MPIError) in
            try base.startAllGather(local, into: all, owner: owner)
        }
    }

    public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MPIError) {
        try observe("MPI_Bcast", bytes: bytes.count) { () throws(MPIError) in
            try base.broadcast(bytes, from: root)
        }
    }

    public func gather(_ bytes: [UInt8], to root: Int) throws(MPIError) -> [[UInt8]] {
        try observe("MPI_Send and MPI_Recv", bytes: bytes.count) { () throws(MPIError) in
            try base.gather(bytes, to: root)
        }
    }

    public func split(color: Int, key: Int) throws(MPIError) -> any Communicator {
        let group = try observe("MPI_Comm_split", bytes: 0) { () throws(MPIError) in
            try base.split(color: color, key: key)
        }
        return ObservedCommunicator(group, observers: observers)
    }

    public func barrier() throws(MPIError) {
        try observe("MPI_Barrier", bytes: 0) { () throws(MPIError) in try base.barrier() }
    }
}

private final class ObservedRequest: Request {
    private let base: any Request
    private let number: Int
    private let call: String
    private let communicator: ObservedCommunicator
    private var isOver = false

    init(_ base: any Request, number: Int, call: String, communicator: ObservedCommunicator) {
        (self.base, self.number, self.call, self.communicator) = (base, number, call, communicator)
    }

    func test() throws(MPIError) -> Bool {
        let isComplete = try base.test()
        if isComplete { end() }
        return isComplete
    }

    func wait() throws(MPIError) {
        if !isOver {
            try communicator.observe("MPI_Wait (\(call))", bytes: 0) { () throws(MPIError) in try base.wait()
            }
        }
        end()
    }

    private func end() {
        if !isOver { communicator.ended(number) }
        isOver = true
    }
}

extension UnsafeMutableBufferPointer {
    fileprivate var bytes: Int { UnsafeRawBufferPointer(UnsafeBufferPointer(self)).count }
}
