/// The collective operations on values and arrays.
extension Communicator {
    /// The reduction of `value` over all ranks. The corresponding C function is `MPI_Allreduce`.
    public func allReduce<Element: Reducible>(
        _ value: Element, _ reduction: Reduction
    ) throws(MPIError) -> Element {
        var values = [value]
        try allReduce(&values, reduction)
        return values[0]
    }

    /// Every element of `values`, reduced over all ranks. The corresponding C function is `MPI_Allreduce`.
    public func allReduce<Element: Reducible>(
        _ values: inout [Element], _ reduction: Reduction
    ) throws(MPIError) {
        try values.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
            try allReduce(buffer, reduction)
        }
    }

    /// The `local` elements of all ranks, one rank after the other. The corresponding C function is
    /// `MPI_Allgather`.
    public func allGather<Element: WireElement & ExpressibleByIntegerLiteral>(
        _ local: [Element]
    ) throws(MPIError) -> [Element] {
        var all = [Element](repeating: 0, count: size * local.count)
        try all.withUnsafeMutableBufferPointer { (all) throws(MPIError) in
            try local.withUnsafeBufferPointer { (local) throws(MPIError) in try allGather(local, into: all) }
        }
        return all
    }

    /// The bytes of every rank, by rank; their number may differ. The corresponding C function is
    /// `MPI_Allgather`.
    public func allGatherVariable(_ bytes: [UInt8]) throws(MPIError) -> [[UInt8]] {
        let counts = try allGather([Int64(bytes.count)]).map(Int.init)
        let longest = counts.max() ?? 0
        let padded = bytes + [UInt8](repeating: 0, count: longest - bytes.count)
        let all = try allGather(padded)
        return counts.enumerated().map { Array(all[$0 * longest..<$0 * longest + $1]) }
    }

    /// The bytes that rank `root` gave; what the others give is ignored. The corresponding C function is
    /// `MPI_Bcast`.
    public func broadcast(_ bytes: [UInt8], from root: Int) throws(MPIError) -> [UInt8] {
        var count = [Int64(bytes.count)]
        try broadcast(&count, from: root)
        var result = rank == root ? bytes : [UInt8](repeating: 0, count: Int(count[0]))
        try broadcast(&result, from: root)
        return result
    }

    /// The text that rank `root` gave; what the others give is ignored. The corresponding C function is
    /// `MPI_Bcast`.
    public func broadcast(_ text: String, from root: Int) throws(MPIError) -> String {
        String(decoding: try broadcast(Array(text.utf8), from: root), as: UTF8.self)
    }

    /// Replaces the elements of `values` by those of rank `root`, which must be as many. The corresponding C
    /// function is `MPI_Bcast`.
    public func broadcast<Element: WireElement>(_ values: inout [Element], from root: Int) throws(MPIError) {
        try values.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
            try broadcast(UnsafeMutableRawBufferPointer(buffer), from: root)
        }
    }
}
