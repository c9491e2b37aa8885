import CMPI
import Host

extension MPICommunicator {
    /// The corresponding C functions are `MPI_Comm_rank` and `MPI_Comm_size`.
    static func caller(of handle: cmpi_comm) throws(MPIError) -> Caller {
        let host = Machine.name
        var rank: Int32 = -1
        var size: Int32 = -1
        let unknown = Caller(rank: -1, size: -1, host: host)
        try unknown.check("MPI_Comm_rank", cmpi_comm_rank(handle, &rank))
        try unknown.check("MPI_Comm_size", cmpi_comm_size(handle, &size))
        return Caller(rank: Int(rank), size: Int(size), host: host)
    }

    /// Names longer than 255 bytes are cut.
    static func hostNames(of handle: cmpi_comm, caller: Caller) throws(MPIError) -> [String] {
        let width = 256
        let name = Array(caller.host.utf8.prefix(width - 1))
        let local = name + [UInt8](repeating: 0, count: width - name.count)
        var all = [UInt8](repeating: 0, count: width * caller.size)
        try caller.check("MPI_Allgather", cmpi_allgather(local, Int32(width), cmpi_type_byte, &all, handle))
        return (0..<caller.size).map { rank in
            String(decoding: all[rank * width..<(rank + 1) * width].prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The corresponding C function is `MPI_Comm_split_type`.
    static func ranksOnNode(of handle: cmpi_comm, caller: Caller) throws(MPIError) -> [Int] {
        var node: cmpi_comm = 0
        try caller.check("MPI_Comm_split_type", cmpi_comm_split_shared(handle, &node))
        var count: Int32 = 0
        try caller.check("MPI_Comm_size", cmpi_comm_size(node, &count))
        var ranks = [Int64](repeating: 0, count: Int(count))
        try caller.check(
            "MPI_Allgather", cmpi_allgather([Int64(caller.rank)], 1, cmpi_type_int64, &ranks, node))
        try caller.check("MPI_Comm_free", cmpi_comm_free(&node))
        return ranks.map(Int.init)
    }
}
