import CMPI

/// A `PartwiseSum` under way: first all ranks exchange their parts, then they gather the sums.
final class PartwiseSumRequest<Sum: PartwiseSum>: Request {
    private let sum: Sum
    private let communicator: MPICommunicator
    private let gatherHandle: cmpi_comm
    /// [rank][element]: what is sent, and at the end the sums; and what has come.
    private let sent, received: ValueStore<Sum.Element>
    private let part: Int
    private var exchange: MPIRequest?
    private var gathering: MPIRequest?

    /// - Parameter gatherHandle: the same ranks; its operations are the second halves of such sums alone.
    init(_ sum: Sum, gatherHandle: cmpi_comm, communicator: MPICommunicator) throws(MPIError) {
        (self.sum, self.gatherHandle, self.communicator) = (sum, gatherHandle, communicator)
        part = sum.part(ranks: communicator.size)
        sent = ValueStore(zeros: communicator.size * part)
        received = ValueStore(zeros: communicator.size * part)
        sum.pack(into: sent.values.extracting(0..<sum.count))
        exchange = try start("MPI_Ialltoall") { request in
            cmpi_ialltoall(
                sent.values.baseAddress, partBytes, cmpi_type_byte, received.values.baseAddress,
                communicator.handle, &request)
        }
    }

    private var partBytes: Int32 { Int32(part * MemoryLayout<Sum.Element>.stride) }

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
            finish()
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
            finish()
        }
    }

    private func gather() throws(MPIError) {
        exchange = nil
        sum.add(received.values, part: part)
        gathering = try start("MPI_Iallgather") { request in
            cmpi_iallgather(
                received.values.baseAddress, partBytes, cmpi_type_byte, sent.values.baseAddress, gatherHandle,
                &request)
        }
    }

    private func finish() {
        gathering = nil
        sum.unpack(sent.values.extracting(0..<sum.count))
    }
}

extension MPICommunicator {
    func startPartwiseSum<Sum: PartwiseSum>(_ sum: Sum) throws(MPIError) -> any Request {
        if gatherHandle == nil {
            var copy: cmpi_comm = 0
            try check("MPI_Comm_dup", cmpi_comm_dup(handle, &copy))
            gatherHandle = copy
        }
        return try PartwiseSumRequest(sum, gatherHandle: gatherHandle ?? handle, communicator: self)
    }
}
