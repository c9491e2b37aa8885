/// Times of messages and reductions between ranks, by size.
public struct LinkTimings: Sendable {
    /// A message from every rank to the next one, all at once.
    public let next: TimedSizes
    /// An all-reduce of floats over all ranks.
    public let allReduce: TimedSizes

    /// Powers of 4 from 64 bytes to 16 MiB.
    public static let sizes = (3...12).map { 1 << (2 * $0) }

    /// Measures both; nil with one rank, and where ranks are no processes. Collective; some seconds at the
    /// most on links of 1 Gbit/s and more.
    public init?(on communicator: any Communicator) throws(MPIError) {
        guard communicator.size > 1, let mpi = communicator as? MPICommunicator else { return nil }
        let zeros = [Float](repeating: 0, count: (Self.sizes.last ?? 4) / MemoryLayout<Float>.stride)
        let (store, other) = (FloatStore(zeros), FloatStore(zeros))
        var (next, allReduce): ([TimedSizes.Point], [TimedSizes.Point]) = ([], [])
        for bytes in Self.sizes {
            let floats = 0..<bytes / MemoryLayout<Float>.stride
            let runs = bytes <= 16 << 10 ? 40 : bytes <= 256 << 10 ? 5 : 1
            let shift = try mpi.seconds(repeats: 5, runs: runs) { () throws(MPIError) in
                try mpi.shiftAround(store.values.extracting(floats), into: other.values.extracting(floats))
            }
            let sum = try mpi.seconds(repeats: 5, runs: runs) { () throws(MPIError) in
                try mpi.allReduce(store.values.extracting(floats), .sum)
            }
            next.append(TimedSizes.Point(bytes: bytes, seconds: shift))
            allReduce.append(TimedSizes.Point(bytes: bytes, seconds: sum))
        }
        (self.next, self.allReduce) = (TimedSizes(next), TimedSizes(allReduce))
    }
}
