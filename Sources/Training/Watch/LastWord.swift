import Collectives
import Foundation
import Logging

/// How the watchdog speaks, and ends a process: its sentence goes to standard error and to the run's log.
///
/// Whatever the program is stuck in may hold locks, or be the file system or a terminal that nobody reads:
/// nothing is shared with it, and what cannot be written keeps nobody waiting.
struct LastWord: Sendable {
    let runFolder: String

    /// Says something while the process goes on, and returns at once.
    func warn(_ sentence: String) {
        Thread.detachNewThread { StandardError.write("\nwarning: \(sentence)\n") }
        Thread.detachNewThread { keep(.warning, sentence) }
    }

    private func keep(_ level: Logger.Level, _ sentence: String) {
        let silent = Console(output: { _ in }, terminalWidth: { nil })
        guard let log = try? RunLog(console: silent, path: runFolder + "/log.txt") else { return }
        log.keep(level, sentence)
    }

    /// Does not return. What cannot be written keeps the end up for two seconds.
    func say(_ sentence: String?) {
        guard let sentence else { _exit(1) }
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 2)
            _exit(1)
        }
        let isKept = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            keep(.error, sentence)
            isKept.signal()
        }
        StandardError.write("\nerror: \(sentence)\n")
        isKept.wait()
        _exit(1)
    }
}
