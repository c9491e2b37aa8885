import Foundation

/// How the watchdog ends a process: the sentence goes to standard error and to the run's log.
struct LastWord: Sendable {
    let console: Console
    let runFolder: String

    /// Does not return. Whatever the program is stuck in may hold locks: nothing is shared with it.
    func say(_ sentence: String?) {
        if let sentence {
            FileHandle.standardError.write(Data("\nerror: \(sentence)\n".utf8))
            if let log = try? RunLog(console: console, path: runFolder + "/log.txt") {
                log.keep(.error, sentence)
            }
        }
        _exit(1)
    }
}
