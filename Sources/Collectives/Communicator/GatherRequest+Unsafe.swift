/// A non-blocking gathering of a few integers from every rank.
final class GatherRequest {
    private let request: any Request
    private let words: Words

    private final class Words {
        let local: UnsafeMutableBufferPointer<Int64>
        let all: UnsafeMutableBufferPointer<Int64>

        init(_ values: [Int64], size: Int) {
            local = .allocate(capacity: values.count)
            all = .allocate(capacity: values.count * size)
            _ = local.initialize(from: values)
            all.initialize(repeating: 0)
        }

        deinit {
            local.deallocate()
            all.deallocate()
        }
    }

    /// Collective. The corresponding C function is `MPI_Iallgather`.
    init(_ values: [Int64], on communicator: any Communicator) throws(MPIError) {
        words = Words(values, size: communicator.size)
        request = try communicator.startAllGather(
            UnsafeBufferPointer(words.local), into: words.all, owner: words)
    }

    func test() throws(MPIError) -> Bool { try request.test() }

    /// The integers of every rank, by rank, once the request is complete.
    var result: [[Int64]] {
        stride(from: 0, to: words.all.count, by: words.local.count).map {
            Array(words.all[$0..<$0 + words.local.count])
        }
    }
}
