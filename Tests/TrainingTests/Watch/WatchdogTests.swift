import Collectives
import Foundation
import Synchronization
import Testing

@testable import Training

@Suite struct WatchdogTests {
    @Test func namesWhatTookTooLong() throws {
        let said = Mutex<String?>(nil)
        let semaphore = DispatchSemaphore(value: 0)
        let ranks = SoloCommunicator()
        let watchdog = try Watchdog(seconds: 0.2, communicator: ranks) { sentence in
            said.withLock { $0 = sentence }
            semaphore.signal()
        }
        watchdog.began(.waitingForPatches, step: 12)
        // A part of it that has no name of its own.
        watchdog.began(.loadingPatches, step: 13)
        #expect(semaphore.wait(timeout: .now() + 20) == .success)
        #expect(
            said.withLock { $0 }
                == "rank 0 on \(ranks.hostNames[0]) made no progress for 0 s (distributed.timeout: 0 s): it was waiting "
                + "for patches at step 12.")
    }

    @Test func isQuietWhileWhatTakesLongGoesOn() throws {
        let said = Mutex<[String?]>([])
        let watchdog = try Watchdog(seconds: 1, communicator: SoloCommunicator()) { sentence in
            said.withLock { $0.append(sentence) }
        }
        watchdog.began(.segmentingHeldOut, step: 3)
        for _ in 0..<15 {
            usleep(100_000)
            watchdog.progressed()
        }
        #expect(said.withLock { $0 } == [])
        watchdog.stop()
    }

    @Test func isQuietWhenStopped() throws {
        let watchdog = try Watchdog(seconds: 0.05, communicator: SoloCommunicator()) { _ in
            Issue.record("expired")
        }
        watchdog.stop()
        usleep(300_000)
    }
}

@Suite struct DiagnosisTests {
    private let diagnosis = Diagnosis(
        hostNames: ["host1", "host1", "host2", "host3"], timeout: 15, longestSilence: 3.5)

    private func witness(
        _ operations: Int, idle: Double = 15.5, call: String = "MPI_Allgather", silence: Double = 0.5
    ) -> Diagnosis.Witness {
        .init(
            activity: RankActivity(
                operation: "computing gradients", step: 5, call: call, operations: operations, idle: idle),
            silence: silence)
    }

    /// It is what the others wait for that counts: their waiting alone says nothing of a rank that computes.
    @Test func isDueWhenWhatIsWaitedForTakesTooLong() {
        #expect(!diagnosis.isDue([witness(7, idle: 40), witness(6, idle: 2), witness(7, idle: 40)]))
        #expect(!diagnosis.isDue([witness(7, idle: 2), witness(6, idle: 14.4), witness(7, idle: 2)]))
        #expect(diagnosis.isDue([witness(7, idle: 2), witness(6, idle: 14.6), witness(7, idle: 2)]))
    }

    @Test func isDueWhenAllWaitForTooLong() {
        #expect(!diagnosis.isDue([witness(7, idle: 40), witness(7, idle: 14.4)]))
        #expect(diagnosis.isDue([witness(7, idle: 40), witness(7, idle: 14.6)]))
    }

    /// Messages may be lost while MPI's arrive: a silent rank is lost where this one waits.
    @Test func silenceCountsWhereOneWaits() {
        #expect(!diagnosis.isDue([witness(7, idle: 2), witness(6, silence: 60)]))
        #expect(diagnosis.isDue([witness(7, idle: 15.1), witness(6, silence: 14)]))
    }

    @Test func aloneItIsDueAfterTheTimeout() {
        #expect(!diagnosis.isDue([witness(7, idle: 14.9, silence: 0)]))
        #expect(diagnosis.isDue([witness(7, idle: 15.1, silence: 0)]))
    }

    /// Where ranks do not hear each other, one that waits in MPI may wait for a slow one; one that computes
    /// is stuck.
    @Test func whoHearsNobodyHasPatienceInACall() {
        #expect(!diagnosis.isDueUnheard(witness(7, idle: 14.9, call: "").activity))
        #expect(diagnosis.isDueUnheard(witness(7, idle: 15.1, call: "").activity))
        #expect(!diagnosis.isDueUnheard(witness(7, idle: 59.9, call: "MPI_Wait").activity))
        #expect(diagnosis.isDueUnheard(witness(7, idle: 60.1, call: "MPI_Wait").activity))
    }

    @Test func whoHearsNobodySaysWhatItDoes() {
        #expect(
            diagnosis.sentence(unheard: witness(7, idle: 60.1, call: "MPI_Wait").activity, rank: 2)
                == "rank 2 on host2 made no progress for 60 s (distributed.timeout: 15 s): it was computing gradients at "
                + "step 5, in MPI_Wait.")
    }

    @Test func whatItMeansToHearNobody() {
        #expect(
            diagnosis.warning(unreachable: 3)
                == "Rank 3 on host3 and rank 0 on host1 do not reach each other by UDP: where a rank is lost, those that "
                + "wait for it in MPI end the job without naming it, after 60 s (4 times distributed.timeout). They "
                + "cannot tell a lost rank from one that is slow: if ranks may have to wait for longer than that, raise "
                + "distributed.timeout.")
    }

    @Test func aSilentRankIsLost() {
        #expect(
            diagnosis.sentence([witness(7), witness(7), witness(6, call: "", silence: 14.2), witness(7)])
                == "rank 2 on host2 has not been heard of for 14 s, and the others wait (distributed.timeout: 15 s): it "
                + "was last heard computing gradients at step 5. The process, its host or the link to it is lost."
        )
    }

    @Test func severalCanBeLost() {
        #expect(
            diagnosis.sentence([witness(7), witness(7), witness(6, silence: 9), witness(6, silence: 8)])
                .hasPrefix("ranks 2 on host2 and 3 on host3 have not been heard of for 9 s"))
    }

    @Test func theRankThatHasBegunTheFewestOperationsIsWaitedFor() {
        #expect(
            diagnosis.sentence([witness(7), witness(6, idle: 15.9, call: ""), witness(7), witness(7)])
                == "rank 1 on host1 made no progress for 15 s (distributed.timeout: 15 s): it was computing gradients at "
                + "step 5, and other ranks wait for it.")
    }

    @Test func whereAllWaitNothingArrives() {
        #expect(
            diagnosis.sentence([witness(7), witness(7), witness(7), witness(7)])
                == "No rank of 4 made progress for 15 s (distributed.timeout): rank 0 on host1 was computing gradients at "
                + "step 5, in MPI_Allgather, as all others, and what they send each other does not arrive.")
    }
}

@Suite struct WatchMessageTests {
    @Test func activitiesArriveAsTheyWereSent() {
        let activity = RankActivity(
            operation: "waiting for the held-out subjects of other ranks", step: 120,
            call: "MPI_Wait (MPI_Iallreduce)",
            operations: 90210, idle: 3.25)
        #expect(RankActivity(message: activity.message) == activity)
        #expect(RankActivity(message: RankActivity().message) == RankActivity())
    }

    @Test(arguments: ["", "1\t2\t3", "x\t1\t0\t\tstarting", "1\t1\t\t\tstarting"])
    func otherWordsAreNone(_ text: String) { #expect(RankActivity(message: text) == nil) }

    @Test func faultsAreReadFromOneWord() throws {
        let fault = try #require(FaultInjection("19:1:5:waiting for patches"))
        #expect(fault.signal == 19 && fault.rank == 1 && fault.step == 5)
        #expect(fault.strikes(rank: 1, .waitingForPatches, step: 5))
        #expect(!fault.strikes(rank: 0, .waitingForPatches, step: 5))
        #expect(!fault.strikes(rank: 1, .waitingForPatches, step: 6))
        #expect(!fault.strikes(rank: 1, .waitingForRanks, step: 5))
        let micro = try #require(FaultInjection("9:0:1:computing micro-batch 2 of 4"))
        #expect(micro.strikes(rank: 0, .microBatch(2, of: 4), step: 1))
        #expect(!micro.strikes(rank: 0, .microBatch(1, of: 4), step: 1))
        #expect(FaultInjection("19:1:5") == nil && FaultInjection("KILL:1:5:x") == nil)
    }
}
