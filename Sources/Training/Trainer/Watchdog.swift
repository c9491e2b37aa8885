import Foundation
import Synchronization

/// Ends a process that makes no progress, with a sentence that names rank, host, step and operation; the launcher then
/// ends the other ranks.
final class Watchdog: Sendable {
    private struct State {
        var operation: String
        var step: Int
        var since: Double
        var isStopped = false
    }

    private let state: Mutex<State>

    /// Starts to watch.
    /// - Parameters:
    ///   - seconds: how long an operation may take.
    ///   - name: the rank and its host in the sentence.
    ///   - expire: given the sentence; does not return to the program in a run.
    init(
        seconds: Double, name: String,
        expire: @escaping @Sendable (String) -> Void = { sentence in
            FileHandle.standardError.write(Data("\nerror: \(sentence)\n".utf8))
            _exit(1)
        }
    ) {
        state = Mutex(State(operation: "starting", step: 0, since: Self.now))
        let thread = Thread { [weak self] in
            while true {
                Thread.sleep(forTimeInterval: min(1, seconds / 8))
                guard let snapshot = self?.state.withLock({ $0 }), !snapshot.isStopped else { return }
                if Self.now - snapshot.since > seconds {
                    expire(
                        "\(name) made no progress for \(Int(seconds)) s (distributed.timeout): it was "
                            + "\(snapshot.operation) at step \(snapshot.step).")
                    return
                }
            }
        }
        thread.start()
    }

    /// Notes that an operation begins; `operation` reads on from "it was".
    func begin(_ operation: String, step: Int) {
        state.withLock { state in
            state = State(operation: operation, step: step, since: Self.now, isStopped: state.isStopped)
        }
    }

    /// Watches no more.
    func stop() { state.withLock { $0.isStopped = true } }

    /// Seconds of a clock that stands still while the machine sleeps.
    private static var now: Double { ProcessInfo.processInfo.systemUptime }
}
