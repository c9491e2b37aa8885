import Foundation
import Testing

@testable import Training

/// In processes of their own, since signals are a process's.
@Suite struct StopSignalsTests {
    /// A handler on a thread that computes would write where oneDNN's stack pointer is: into the heap.
    @Test func theThreadThatComputesIsNotInterrupted() async {
        await #expect(processExitsWith: .success) {
            // Threads of tests block them, a program's do not.
            var none = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, nil)
            StopSignals.install()
            var blocked = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &blocked)
            for number in [SIGTERM, SIGUSR1, SIGINT] { #expect(sigismember(&blocked, number) == 1) }
            #expect(StopSignals.pending == nil)
            kill(getpid(), SIGUSR1)
            for _ in 0..<5000 where StopSignals.pending == nil { usleep(1000) }
            #expect(StopSignals.pending == SIGUSR1)
        }
    }

    @Test func whatHasComeBetweenTwoRunsStays() async {
        await #expect(processExitsWith: .success) {
            StopSignals.install()
            kill(getpid(), SIGTERM)
            for _ in 0..<5000 where StopSignals.pending == nil { usleep(1000) }
            StopSignals.install()
            #expect(StopSignals.pending == SIGTERM)
        }
    }

    @Test func aSecondInterruptEndsTheProcess() async {
        await #expect(processExitsWith: .exitCode(130)) {
            StopSignals.install()
            kill(getpid(), SIGINT)
            for _ in 0..<5000 where StopSignals.pending == nil { usleep(1000) }
            kill(getpid(), SIGINT)
            usleep(5_000_000)
        }
    }
}
