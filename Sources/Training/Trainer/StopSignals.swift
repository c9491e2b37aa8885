import Glibc
import Synchronization

/// Signals that ask a run to end well: SIGTERM, SIGUSR1 (Slurm's warning) and SIGINT.
///
/// The handler sets a flag, and the run ends after its step. A second SIGINT ends the process at once.
public enum StopSignals {
    private static let received = Atomic<Int32>(0)

    /// Catches the signals. Also ignores SIGXFSZ and SIGPIPE, so that a full quota or a closed pipe is an error of
    /// the write that meets it. A signal that has come stays: it may have come between two runs of a sweep.
    public static func install() {
        // Whoever started the program may have blocked them, and a process inherits that.
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for number in [SIGTERM, SIGUSR1, SIGINT] { sigaddset(&wanted, number) }
        defer { pthread_sigmask(SIG_UNBLOCK, &wanted, nil) }
        for number in [SIGTERM, SIGUSR1, SIGINT] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in StopSignals.note(number) }
            // Libraries that read files take an interrupted call for a failure.
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
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
