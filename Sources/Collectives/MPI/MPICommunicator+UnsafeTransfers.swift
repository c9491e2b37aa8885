import CMPI

extension MPICommunicator {
    func allReduce<Element: Reducible>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
    ) throws(MPIError) {
        for range in chunks(of: buffer.count, bytesPerElement: MemoryLayout<Element>.stride) {
            let piece = buffer.extracting(range)
            let status = cmpi_allreduce(
                piece.baseAddress, Int32(piece.count), Element.wireType.code, reduction.code, handle)
            try check("MPI_Allreduce", status)
        }
    }

    func startAllReduce<Element: Reducible>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction, owner: AnyObject
    ) throws(MPIError) -> any Request {
        let request = MPIRequest(call: "MPI_Iallreduce", owner: owner, communicator: self)
        for range in chunks(of: buffer.count, bytesPerElement: MemoryLayout<Element>.stride) {
            let piece = buffer.extracting(range)
            var started: cmpi_request = 0
            let status = cmpi_iallreduce(
                piece.baseAddress, Int32(piece.count), Element.wireType.code, reduction.code, handle, &started
            )
            try check("MPI_Iallreduce", status)
            request.add(started)
        }
        return request
    }

    func allGather<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>
    ) throws(MPIError) {
        checkGatherCounts(local: local.count, all: all.count)
        // What counts is what is received: a piece from each rank.
        let pieces = chunks(of: local.count, bytesPerElement: MemoryLayout<Element>.stride * size)
        guard pieces.count > 1 else { return try allGatherAtOnce(local, into: all) }
        // The ranks' pieces are apart in `all` and together on the wire.
        let staging = UnsafeMutableBufferPointer<Element>.allocate(capacity: size * pieces[0].count)
        defer { staging.deallocate() }
        for piece in pieces {
            let received = staging.extracting(0..<size * piece.count)
            try allGatherAtOnce(local.extracting(piece), into: received)
            for rank in 0..<size {
                let target = all.extracting(rank * local.count + piece.lowerBound..<all.count)
                _ = target.update(
                    fromContentsOf: received.extracting(rank * piece.count..<(rank + 1) * piece.count))
            }
        }
    }

    private func allGatherAtOnce<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>
    ) throws(MPIError) {
        guard !local.isEmpty else { return }
        let status = cmpi_allgather(
            local.baseAddress, Int32(local.count), Element.wireType.code, all.baseAddress, handle)
        try check("MPI_Allgather", status)
    }

    func startAllGather<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>, owner: AnyObject
    ) throws(MPIError) -> any Request {
        checkGatherCounts(local: local.count, all: all.count)
        let bytes = all.count * MemoryLayout<Element>.stride
        precondition(bytes <= chunkBytes, "\(bytes) bytes do not fit one call of \(chunkBytes)")
        let request = MPIRequest(call: "MPI_Iallgather", owner: owner, communicator: self)
        var started: cmpi_request = 0
        let status = cmpi_iallgather(
            local.baseAddress, Int32(local.count), Element.wireType.code, all.baseAddress, handle, &started)
        try check("MPI_Iallgather", status)
        request.add(started)
        return request
    }

    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MPIError) {
        checkRoot(root)
        for range in chunks(of: bytes.count, bytesPerElement: 1) {
            let piece = UnsafeMutableRawBufferPointer(rebasing: bytes[range])
            try check("MPI_Bcast", cmpi_bcast(piece.baseAddress, Int32(piece.count), Int32(root), handle))
        }
    }

    func gather(_ bytes: [UInt8], to root: Int) throws(MPIError) -> [[UInt8]] {
        checkRoot(root)
        let counts = try allGather([Int64(bytes.count)])
        guard rank == root else {
            try send(bytes, to: root)
            return []
        }
        var all: [[UInt8]] = []
        for sender in 0..<size {
            all.append(sender == rank ? bytes : try receive(count: Int(counts[sender]), from: sender))
        }
        return all
    }

    private func send(_ bytes: [UInt8], to receiver: Int) throws(MPIError) {
        for range in chunks(of: bytes.count, bytesPerElement: 1) {
            let status = bytes.withUnsafeBytes { all in
                let piece = UnsafeRawBufferPointer(rebasing: all[range])
                return cmpi_send(piece.baseAddress, Int32(piece.count), Int32(receiver), gatherTag, handle)
            }
            try check("MPI_Send", status)
        }
    }

    private func receive(count: Int, from sender: Int) throws(MPIError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        for range in chunks(of: count, bytesPerElement: 1) {
            let status = bytes.withUnsafeMutableBytes { all in
                let piece = UnsafeMutableRawBufferPointer(rebasing: all[range])
                return cmpi_recv(piece.baseAddress, Int32(piece.count), Int32(sender), gatherTag, handle)
            }
            try check("MPI_Recv", status)
        }
        return bytes
    }

    /// Sends the floats of `sent` to the next rank, and receives those of the previous one, which must be as
    /// many. The corresponding C function is `MPI_Sendrecv`.
    func shiftAround(
        _ sent: UnsafeMutableBufferPointer<Float>, into received: UnsafeMutableBufferPointer<Float>
    ) throws(MPIError) {
        precondition(sent.count == received.count, "\(sent.count) floats do not fit \(received.count)")
        let status = cmpi_sendrecv(
            sent.baseAddress, Int32((rank + 1) % size), received.baseAddress, Int32((rank + size - 1) % size),
            Int32(sent.count * MemoryLayout<Float>.stride), shiftTag, handle)
        try check("MPI_Sendrecv", status)
    }
}

private let gatherTag: Int32 = 1
private let shiftTag: Int32 = 2

extension WireType {
    var code: cmpi_type {
        switch self {
        case .byte: cmpi_type_byte
        case .int64: cmpi_type_int64
        case .float: cmpi_type_float
        case .double: cmpi_type_double
        }
    }
}

extension Reduction {
    var code: cmpi_operation {
        switch self {
        case .sum: cmpi_operation_sum
        case .minimum: cmpi_operation_min
        case .maximum: cmpi_operation_max
        }
    }
}
