import Host
import Testing

@testable import Collectives

/// Real ranks under `mpirun`.
@Suite(.serialized) struct MpirunTests {
    private let host = Machine.name

    @Test(arguments: 1...4) func everyCollectiveGivesWhatItMust(ranks: Int) throws {
        let run = try Mpirun(ranks, .collectiveCheck)
        #expect(run.status == 0 && run.errors == [], "\(run.output)")
        #expect(run.output.contains("\(ranks) rank(s) on \(host)"))
        #expect(run.output.contains("correct: the same in pieces of 100 bytes"))
        #expect(run.output.contains("ring, 4 MiB to the next rank") == (ranks > 1))
    }

    /// Ranks that are threads of this process, and so no MPI, say what the bits must be.
    @Test(arguments: 2...4) func bfloat16SumsHaveTheBitsOfTheirDefinition(ranks: Int) throws {
        let expected = try ThreadedRanks.run(ranks) { try Steps.digest(on: $0) }.map { try $0.get() }
        let run = try Mpirun(ranks, .bfloat16Sums)
        #expect(run.status == 0 && run.errors == [], "\(run.output)")
        for rank in 0..<ranks {
            #expect(run.output.contains("rank \(rank): sums \(expected[rank])\n"), "\(run.output)")
        }
    }

    @Test func ranksDivideTheCoresTheyShare() throws {
        let cores = try Placement.query(on: SoloCommunicator()).cores.count
        let run = try Mpirun(2, .placement, options: ["--bind-to", "none"])
        #expect(run.status == 0, "\(run.output)")
        for rank in 0...1 {
            let threads = max(1, Placement.part(rank, of: 2, in: cores))
            #expect(run.output.contains("rank \(rank): node [0, 1], threads \(threads)\n"), "\(run.output)")
        }
    }

    @Test func rankThatThrowsWhileOthersWaitEndsTheJob() throws {
        let run = try Mpirun(3, .oneThrowsWhileOthersWait)
        #expect(run.status == 1 && run.seconds < 30)
        #expect(run.errors == ["Rank 1 of 3, on \(host): The disk is full."], "\(run.output)")
        #expect(!run.output.contains("scenario completed"))
    }

    @Test func rankThatThrowsLastMakesAllFail() throws {
        let run = try Mpirun(3, .oneThrowsAfterOthersReturned)
        #expect(run.status == 1)
        #expect(run.errors == ["Rank 1 of 3, on \(host): The disk is full."], "\(run.output)")
        #expect(!run.output.contains("scenario completed") && !run.output.contains("MPI_ABORT"))
    }

    @Test func failureOfAllIsReportedOnceAndWithoutAbort() throws {
        let run = try Mpirun(4, .allThrowTheSame)
        #expect(run.status == 1 && run.errors == ["Key \"bacth\" is unknown."], "\(run.output)")
        #expect(!run.output.contains("MPI_ABORT"))
    }

    @Test func failureTogetherIsReportedOnceAndWithoutAbort() throws {
        let run = try Mpirun(3, .allThrowTogether)
        #expect(run.status == 1)
        #expect(run.errors == ["Rank 1 of 3, on \(host): File b.nii is truncated."], "\(run.output)")
        #expect(!run.output.contains("MPI_ABORT"))
    }

    @Test func failureDuringAReductionDoesNotCrash() throws {
        let run = try Mpirun(2, .throwDuringReduction)
        #expect(run.status == 1 && run.errors == ["The loss is not a number."], "\(run.output)")
    }

    @Test func statusOfACallBecomesASentence() throws {
        let run = try Mpirun(2, .shortBroadcast)
        #expect(run.status == 1 && run.errors.count == 1, "\(run.output)")
        #expect(run.errors.first?.hasPrefix("Rank 1 of 2, on \(host): MPI_Bcast failed with code ") == true)
        #expect(run.errors.first?.lowercased().contains("truncate") == true)
    }

    @Test func killedRankEndsTheJob() throws {
        let run = try Mpirun(3, .oneIsKilled)
        // 124: it had to be ended from outside.
        #expect(run.status != 0 && run.status != 124, "\(run.output)")
        #expect(run.output.contains("signal 9"))
    }

    @Test func missingLibraryIsAnErrorAndNotSeveralRunsOfOneRank() throws {
        let run = try Mpirun(3, .placement, environment: [MPILibrary.overrideVariable: "libdicerank-none.so"])
        #expect(run.status == 1 && run.errors.count == 1, "\(run.output)")
        #expect(
            run.errors.first?.contains("tried libdicerank-none.so (cannot open shared object file") == true)
        #expect(!run.output.contains("threads"))
    }

    @Test func launcherOfAnotherImplementationIsNoticed() throws {
        let run = try Mpirun(alone: .placement, environment: ["PMI_RANK": "0", "PMI_SIZE": "3"])
        #expect(run.status == 1 && run.errors.count == 1, "\(run.output)")
        #expect(run.errors.first?.contains("announced 3 ranks, but the MPI library") == true)
        #expect(!run.output.contains("threads"))
    }

    @Test func withoutALauncherTheLibraryIsNotTouched() throws {
        let run = try Mpirun(
            alone: .placement, environment: [MPILibrary.overrideVariable: "libdicerank-none.so"])
        #expect(run.status == 0 && run.output.contains("rank 0: node [0]"), "\(run.output)")
    }
}
