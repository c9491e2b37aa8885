import Testing

@testable import Collectives

@Suite struct CommunicatorTests {
    @Test func aloneEveryOperationIsTheIdentity() throws {
        let solo = SoloCommunicator()
        var values: [Float] = [1.5, -2]
        for reduction in Reduction.allCases { try solo.allReduce(&values, reduction) }
        #expect(values == [1.5, -2])
        #expect(try solo.allReduce(Int64(7), .sum) == 7)
        #expect(try solo.allGather([1.0, 2.0]) == [1, 2])
        #expect(try solo.allGatherVariable([3, 4]) == [[3, 4]])
        #expect(try solo.broadcast([5, 6], from: 0) == [5, 6])
        #expect(try solo.broadcast("naïve", from: 0) == "naïve")
        #expect(try solo.gather([8], to: 0) == [[8]])
        #expect(try solo.split(color: 3, key: 0) === solo)
        #expect(try solo.idleMaximum(0.5) == 0.5)
        #expect(solo.rank == 0 && solo.size == 1 && solo.ranksOnNode == [0])
        #expect(solo.hostNames.count == 1 && solo.hostNames[0].isEmpty == false)
        let store = FloatStore([1, 2])
        #expect(try solo.startAllReduce(store.values, .sum, owner: store).test())
    }

    @Test func checkPassesAlone() throws {
        #expect(try CollectiveCheck.run(on: SoloCommunicator()).count == 2)
    }

    @Test(arguments: [1, 2, 3, 4]) func checkPassesOnSeveralRanks(size: Int) throws {
        for result in ThreadedRanks.run(size, { try CollectiveCheck.run(on: $0) }) {
            #expect(try result.get().count == 2)
        }
    }

    @Test func checkNoticesAWrongSum() throws {
        let results = ThreadedRanks.run(2, sumError: 1) { try CollectiveCheck.run(on: $0) }
        #expect(results.count == 2)
        for result in results {
            let failure = try #require(throws: RankFailure.self) { try result.get() }
            #expect(failure.failing == [0, 1])
            // (1 + 2) * 1 and one too much.
            #expect(failure.description == "sum of Float gave 4.0 as element 0; 3.0 was expected.")
        }
    }

    @Test func variableGatherKeepsLengthsAndOrder() throws {
        let results = ThreadedRanks.run(3) { communicator in
            try communicator.allGatherVariable(
                [UInt8](repeating: UInt8(communicator.rank), count: communicator.rank))
        }
        for result in results { #expect(try result.get() == [[], [1], [2, 2]]) }
    }

    @Test func groupsWorkSideBySide() throws {
        // Ranks 0 and 1, and 2 and 3; of each group rank 1 has the larger number.
        let results = ThreadedRanks.run(4) { communicator in
            let group = try communicator.split(color: communicator.rank / 2, key: communicator.rank)
            let again = try group.split(color: 0, key: -group.rank)
            return [
                group.rank, group.size, Int(try group.idleMaximum(Float(communicator.rank))), again.rank,
                again.size,
            ]
        }
        let expected = [[0, 2, 1, 1, 2], [1, 2, 1, 0, 2], [0, 2, 3, 1, 2], [1, 2, 3, 0, 2]]
        #expect(try results.map { try $0.get() } == expected)
    }

    @Test func longBuffersAreCutIntoPieces() throws {
        #expect(pieces(of: 10, bytesPerElement: 4, chunkBytes: 15) == [0..<3, 3..<6, 6..<9, 9..<10])
        #expect(pieces(of: 6, bytesPerElement: 4, chunkBytes: 12) == [0..<3, 3..<6])
        #expect(pieces(of: 2, bytesPerElement: 8, chunkBytes: 1) == [0..<1, 1..<2])
        #expect(pieces(of: 0, bytesPerElement: 8, chunkBytes: 64) == [])
        // Counts of MPI have 32 bits, however many bytes are allowed.
        let long = pieces(of: 5_000_000_000, bytesPerElement: 1, chunkBytes: 1 << 40)
        #expect(
            long.count == 3 && long.allSatisfy { $0.count <= 2_147_483_647 }
                && long[2].upperBound == 5_000_000_000)
    }

    private func pieces(of count: Int, bytesPerElement: Int, chunkBytes: Int) -> [Range<Int>] {
        MPICommunicator.chunks(of: count, bytesPerElement: bytesPerElement, chunkBytes: chunkBytes)
    }
}
