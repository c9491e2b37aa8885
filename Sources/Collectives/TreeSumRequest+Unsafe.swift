import CMPI

/// A sum over the ranks in a fixed order: each rank adds up one part of the values of all ranks, then all get all parts.
final class TreeSumRequest: Request {
    private let buffer: UnsafeMutableBufferPointer<Float>
    private let owner: AnyObject
    private let communicator: MPICommunicator
    private let gatherHandle: cmpi_comm
    /// [rank][part]: what is sent, and at the end the sums; and what has come.
    private let sent, received: FloatStore
    private var exchange: MPIRequest?
    private var gathering: MPIRequest?

    private var part: Int { sent.values.count / communicator.size }

    /// - Parameter gatherHandle: the same ranks; its operations are those of tree sums alone.
    init(
        _ buffer: UnsafeMutableBufferPointer<Float>, owner: AnyObject, gatherHandle: cmpi_comm,
        communicator: MPICommunicator
    ) throws(MPIError) {
        let size = communicator.size
        precondition(size & (size - 1) == 0, "a tree of \(size) ranks, no power of two")
        (self.buffer, self.owner) = (buffer, owner)
        (self.communicator, self.gatherHandle) = (communicator, gatherHandle)
        let part = (buffer.count + size - 1) / size
        let missing = [Float](repeating: 0, count: size * part - buffer.count)
        sent = FloatStore(Array(buffer) + missing)
        received = FloatStore([Float](repeating: 0, count: size * part))
        exchange = try start("MPI_Ialltoall") { request in
            cmpi_ialltoall(
                sent.values.baseAddress, Int32(part), cmpi_type_float, received.values.baseAddress,
                communicator.handle, &request)
        }
    }

    private func start(
        _ call: String, _ body: (inout cmpi_request) -> Int32
    ) throws(MPIError) -> MPIRequest {
        let request = MPIRequest(call: call, owner: self, communicator: communicator)
        var started: cmpi_request = 0
        try communicator.check(call, body(&started))
        request.add(started)
        return request
    }

    func test() throws(MPIError) -> Bool {
        if let exchange {
            guard try exchange.test() else { return false }
            try gather()
        }
        if let gathering {
            guard try gathering.test() else { return false }
            store()
        }
        return true
    }

    func wait() throws(MPIError) {
        if let exchange {
            try exchange.wait()
            try gather()
        }
        if let gathering {
            try gathering.wait()
            store()
        }
    }

    /// Adds the ranks' values in pairs, then pairs of pairs; starts the second half.
    private func gather() throws(MPIError) {
        exchange = nil
        var distance = 1
        while distance < communicator.size {
            for first in stride(from: 0, to: communicator.size, by: 2 * distance) {
                let into = received.values.extracting(first * part..<(first + 1) * part)
                let term = received.values.extracting(
                    (first + distance) * part..<(first + distance + 1) * part)
                for index in into.indices { into[index] += term[index] }
            }
            distance *= 2
        }
        gathering = try start("MPI_Iallgather") { request in
            cmpi_iallgather(
                received.values.baseAddress, Int32(part), cmpi_type_float, sent.values.baseAddress,
                gatherHandle, &request)
        }
    }

    private func store() {
        gathering = nil
        _ = buffer.update(fromContentsOf: sent.values.extracting(0..<buffer.count))
    }
}

extension MPICommunicator {
    func startTreeSum(
        _ buffer: UnsafeMutableBufferPointer<Float>, owner: AnyObject
    ) throws(MPIError) -> any Request {
        if treeHandle == nil {
            var copy: cmpi_comm = 0
            try check("MPI_Comm_dup", cmpi_comm_dup(handle, &copy))
            treeHandle = copy
        }
        return try TreeSumRequest(
            buffer, owner: owner, gatherHandle: treeHandle ?? handle, communicator: self)
    }
}
