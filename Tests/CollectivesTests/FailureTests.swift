import Testing

@testable import Collectives

private struct Complaint: Error, CustomStringConvertible, Equatable { let description: String }

@Suite struct FailureTests {
    @Test func oneRankFailsAndAllThrowTheSame() throws {
        let results = ThreadedRanks.run(4) { communicator in
            try communicator.together {
                if communicator.rank == 2 { throw Complaint(description: "File b.nii is truncated.") }
            }
        }
        for result in results {
            let failure = try #require(throws: RankFailure.self) { try result.get() }
            #expect(failure.failing == [2] && failure.size == 4 && !failure.unanimous)
            #expect(failure.description == "Rank 2 of 4, on node2: File b.nii is truncated.")
        }
    }

    @Test func unanimousFailureNamesNoRank() throws {
        let results = ThreadedRanks.run(3) { communicator in
            try communicator.together { throw Complaint(description: "Key \"bacth\" is unknown.") }
        }
        for result in results {
            let failure = try #require(throws: RankFailure.self) { try result.get() }
            #expect(failure.unanimous && failure.description == "Key \"bacth\" is unknown.")
        }
    }

    @Test func differentFailuresNameTheLowestRankAndCountTheOthers() throws {
        let results = ThreadedRanks.run(4) { communicator in
            try communicator.together {
                if communicator.rank > 0 {
                    throw Complaint(description: "File \(communicator.rank) is missing.")
                }
            }
        }
        for result in results {
            let failure = try #require(throws: RankFailure.self) { try result.get() }
            #expect(failure.description == "Rank 1 and 2 others of 4, on node1: File 1 is missing.")
        }
    }

    @Test func successReturnsEachRanksOwnValue() throws {
        let results = ThreadedRanks.run(3) { communicator in
            try communicator.together { communicator.rank * 10 }
        }
        #expect(try results.map { try $0.get() } == [0, 10, 20])
    }

    @Test func aloneTheErrorIsThrownUnchanged() throws {
        #expect(throws: Complaint(description: "No.")) {
            try SoloCommunicator().together { throw Complaint(description: "No.") }
        }
    }

    @Test func errorOfACallNamesRankCallAndText() {
        let error = MPIError(
            rank: 3, size: 8, host: "node7", call: "MPI_Bcast", code: 15,
            text: "MPI_ERR_TRUNCATE: message truncated")
        #expect(
            error.description
                == "MPI_Bcast failed on rank 3 of 8 on node7 with code 15: MPI_ERR_TRUNCATE: message truncated."
        )
        let sentence = Result<Void, any Error>.failure(error).failureSentence
        #expect(sentence == "MPI_Bcast failed with code 15: MPI_ERR_TRUNCATE: message truncated.")
    }

    @Test func successfulStatusIsNoError() throws {
        #expect(throws: Never.self) { try Caller(rank: 0, size: 1, host: "here").check("MPI_Barrier", 0) }
    }

    @Test func onlyTheFirstStatementOfAnErrorTextIsKept() {
        let mpich = "Message truncated, error stack:\ninternal_Bcast(107): MPI_Bcast(buffer=0x56) failed"
        #expect(Caller.firstStatement(of: mpich) == "Message truncated")
        #expect(Caller.firstStatement(of: "MPI_ERR_COUNT: invalid count") == "MPI_ERR_COUNT: invalid count")
    }
}
