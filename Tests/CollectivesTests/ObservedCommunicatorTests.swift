import Testing

@testable import Collectives

private final class Recorder: CommunicationObserver {
    private(set) var lines: [String] = []

    func callBegins(_ call: String, bytes: Int) { lines.append("\(call) \(bytes)") }
    func callEnds() { lines.append("end") }
    func operationBegins(_ number: Int, call: String, bytes: Int) {
        lines.append("\(number): \(call) \(bytes)")
    }
    func operationEnds(_ number: Int) { lines.append("\(number): end") }
}

@Suite struct ObservedCommunicatorTests {
    @Test func observersHearOfEveryOperationAndResultsStay() throws {
        let results = ThreadedRanks.run(2) { ranks in
            let recorder = Recorder()
            let communicator = ObservedCommunicator(ranks, observers: [recorder])
            #expect(try communicator.allReduce(Float(communicator.rank + 1), .sum) == 3)
            #expect(try communicator.allGather([Int64(communicator.rank)]) == [0, 1])
            let store = FloatStore([1, 2])
            let first = try communicator.startAllReduce(store.values, .sum, owner: store)
            let second = try communicator.startTreeSum(store.values, owner: store)
            #expect(try first.test())
            #expect(try first.test())
            try second.wait()
            try second.wait()
            #expect(Array(store.values) == [4, 8])
            try communicator.barrier()
            return recorder.lines
        }
        for result in results {
            #expect(
                try result.get() == [
                    "MPI_Allreduce 4", "end", "MPI_Allgather 8", "end",
                    "1: MPI_Iallreduce 8", "2: MPI_Ialltoall and MPI_Iallgather 8", "1: end",
                    "MPI_Wait (MPI_Ialltoall and MPI_Iallgather) 0", "end", "2: end",
                    "MPI_Barrier 0", "end",
                ])
        }
    }

    /// A group of ranks is watched as well.
    @Test func groupsAreObserved() throws {
        let results = ThreadedRanks.run(2) { ranks in
            let recorder = Recorder()
            let communicator = ObservedCommunicator(ranks, observers: [recorder])
            try communicator.split(color: 0, key: 0).barrier()
            return recorder.lines
        }
        for result in results {
            #expect(try result.get() == ["MPI_Comm_split 0", "end", "MPI_Barrier 0", "end"])
        }
    }
}
