import Foundation
import Glibc
import Synchronization

/// Signals that ask a run to end well: SIGTERM, SIGUSR1 (Slurm's warning) and SIGINT.
///
/// The handler sets a flag, and the run ends after its step: see ``Trainer/stopSignal``. A second SIGINT ends
/// the process at once.
public enum StopSignals {
    private static let received = Atomic<Int32>(0)

    /// Catches the signals. Also ignores SIGXFSZ and SIGPIPE, so that a full quota or a closed pipe is an
    /// error of the write that meets it. A signal that has come stays: it may have come between two runs of a
    /// sweep.
    ///
    /// A thread of their own hears them. The calling thread and those that it starts from now on must not:
    /// oneDNN's matrix product moves the stack pointer to a block of the heap, below which a handler would
    /// write.
    public static func install() {
        for number in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in StopSignals.note(number) }
            // Libraries that read files take an interrupted call for a failure.
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
        _ = listener
        mask(SIG_BLOCK)
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
    }

    private static let signals = [SIGTERM, SIGUSR1, SIGINT]

    /// Whoever started the program may have blocked them, and threads inherit that.
    private static let listener: Void = Thread.detachNewThread {
        mask(SIG_UNBLOCK)
        while true { pause() }
    }

    /// Of the calling thread.
    private static func mask(_ how: Int32) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in signals { sigaddset(&set, number) }
        pthread_sigmask(how, &set, nil)
    }

    /// The signal that has come, if any.
    public static var pending: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// Such as "SIGTERM".
    public static func name(_ number: Int32) -> String {
        switch number {
        case SIGTERM: "SIGTERM"
        case SIGUSR1: "SIGUSR1"
        case SIGINT: "SIGINT"
        default: "signal \(number)"
        }
    }

    private static func note(_ number: Int32) {
        let before = received.exchange(number, ordering: .relaxed)
        if before == SIGINT, number == SIGINT { _exit(130) }
    }
}
