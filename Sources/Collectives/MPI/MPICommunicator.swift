import CMPI

/// All ranks of an MPI job, of a copy of its world communicator, or a group of them.
///
/// Its transfers are in `MPICommunicator+UnsafeTransfers.swift`.
final class MPICommunicator: Communicator {
    /// Most bytes that are handed to MPI in one call. Counts of MPI are 32 bits, and some transports fail
    /// beyond 2^31 bytes whatever the count. The same on all ranks.
    static let defaultChunkBytes = 1 << 30

    let handle: cmpi_comm
    let caller: Caller
    let hostNames: [String]
    let ranksOnNode: [Int]
    /// A copy of `handle` for the second half of partwise sums, which starts at no fixed point between other
    /// operations.
    var gatherHandle: cmpi_comm?
    var chunkBytes = MPICommunicator.defaultChunkBytes

    /// Operations under way: they, and the owners of their buffers, live until they are complete.
    private(set) var pending: [ObjectIdentifier: MPIRequest] = [:]
    /// What it was split into: freed by no one before MPI ends.
    private var groups: [MPICommunicator] = []

    var rank: Int { caller.rank }
    var size: Int { caller.size }

    /// Collective over the ranks of `handle`.
    init(handle: cmpi_comm) throws(MPIError) {
        self.handle = handle
        caller = try MPICommunicator.caller(of: handle)
        hostNames = try MPICommunicator.hostNames(of: handle, caller: caller)
        ranksOnNode = try MPICommunicator.ranksOnNode(of: handle, caller: caller)
    }

    /// `handle` is a copy of the handle of `original`, with the same ranks.
    init(handle: cmpi_comm, of original: MPICommunicator) {
        self.handle = handle
        caller = original.caller
        hostNames = original.hostNames
        ranksOnNode = original.ranksOnNode
    }

    func check(_ call: String, _ status: Int32) throws(MPIError) { try caller.check(call, status) }

    func chunks(of count: Int, bytesPerElement: Int) -> [Range<Int>] {
        MPICommunicator.chunks(of: count, bytesPerElement: bytesPerElement, chunkBytes: chunkBytes)
    }

    /// `0..<count` cut into consecutive ranges for one call each: of as many elements as `chunkBytes` holds,
    /// but at least one, and a shorter last one.
    static func chunks(of count: Int, bytesPerElement: Int, chunkBytes: Int) -> [Range<Int>] {
        let step = max(1, min(chunkBytes / bytesPerElement, Int(Int32.max)))
        return stride(from: 0, to: count, by: step).map { $0..<min($0 + step, count) }
    }

    /// Operations under way here and in what it was split into.
    var allPending: [MPIRequest] { Array(pending.values) + groups.flatMap(\.allPending) }

    func split(color: Int, key: Int) throws(MPIError) -> any Communicator {
        checkColor(color)
        var handle: cmpi_comm = 0
        try check("MPI_Comm_split", cmpi_comm_split(self.handle, Int32(color), Int32(key), &handle))
        let group = try MPICommunicator(handle: handle)
        groups.append(group)
        return group
    }

    func barrier() throws(MPIError) { try check("MPI_Barrier", cmpi_barrier(handle)) }

    func register(_ request: MPIRequest) { pending[ObjectIdentifier(request)] = request }

    func forget(_ request: MPIRequest) { pending[ObjectIdentifier(request)] = nil }
}

/// One non-blocking operation, which may be several MPI requests.
final class MPIRequest: Request {
    private let call: String
    private let owner: AnyObject
    private unowned let communicator: MPICommunicator
    private var handles: [cmpi_request]

    /// `handles` are those of the pieces that were started, in order. The communicator holds the request
    /// until it is complete, so neither outlives the other while MPI may still write to the buffer.
    init(call: String, owner: AnyObject, communicator: MPICommunicator) {
        self.call = call
        self.owner = owner
        self.communicator = communicator
        handles = []
        communicator.register(self)
    }

    /// Adds a piece that has been started.
    func add(_ handle: cmpi_request) { handles.append(handle) }

    func test() throws(MPIError) -> Bool {
        while let last = handles.last {
            var handle = last
            var complete = false
            try communicator.check("MPI_Test (\(call))", cmpi_test(&handle, &complete))
            guard complete else { return false }
            handles.removeLast()
        }
        communicator.forget(self)
        return true
    }

    func wait() throws(MPIError) {
        while let last = handles.last {
            var handle = last
            try communicator.check("MPI_Wait (\(call))", cmpi_wait(&handle))
            handles.removeLast()
        }
        communicator.forget(self)
    }
}
