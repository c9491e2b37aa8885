import Foundation

/// How the watchdog ends a process: the sentence goes to standard error and to the run's log.
struct LastWord: Sendable {
    let runFolder: String

    /// Does not return. Whatever the program is stuck in may hold locks, or be the file system: nothing is shared with
    /// it, and a log that cannot be written keeps the end up for a moment only.
    func say(_ sentence: String?) {
        if let sentence {
            FileHandle.standardError.write(Data("\nerror: \(sentence)\n".utf8))
            Thread.detachNewThread {
                Thread.sleep(forTimeInterval: 2)
                _exit(1)
            }
            let silent = Console(output: { _ in }, terminalWidth: { nil })
            if let log = try? RunLog(console: silent, path: runFolder + "/log.txt") {
                log.keep(.error, sentence)
            }
        }
        _exit(1)
    }
}
