import Collectives
import Foundation
import Logging

/// How the watchdog speaks, and ends a process: its sentence goes to standard error and to the run's log.
struct LastWord: Sendable {
    let runFolder: String

    /// Says something while the process goes on: nothing waits for a log that cannot be written.
    func warn(_ sentence: String) {
        StandardError.write("\nwarning: \(sentence)\n")
        Thread.detachNewThread { keep(.warning, sentence) }
    }

    private func keep(_ level: Logger.Level, _ sentence: String) {
        let silent = Console(output: { _ in }, terminalWidth: { nil })
        guard let log = try? RunLog(console: silent, path: runFolder + "/log.txt") else { return }
        log.keep(level, sentence)
    }

    /// Does not return. Whatever the program is stuck in may hold locks, or be the file system: nothing is shared with
    /// it, and a log that cannot be written keeps the end up for a moment only.
    func say(_ sentence: String?) {
        if let sentence {
            StandardError.write("\nerror: \(sentence)\n")
            Thread.detachNewThread {
                Thread.sleep(forTimeInterval: 2)
                _exit(1)
            }
            keep(.error, sentence)
        }
        _exit(1)
    }
}
