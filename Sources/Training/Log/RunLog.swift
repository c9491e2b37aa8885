import Foundation
import Logging
import RunFiles
import Synchronization
import SystemPackage

/// Where a run's messages go: standard error, above the progress line, and `log.txt`.
///
/// The file gets every message with time and level; standard error the text alone, without what is marked as
/// debug (how the run was tuned to the machine), and under `--quiet` only warnings and errors. A file that
/// cannot be written any more is said once and does not end the run.
public final class RunLog: Sendable {
    public let console: Console
    public let quiet: Bool
    private let file: Mutex<FileDescriptor?>
    private let path: String?
    private let clock: @Sendable () -> Date

    /// - Parameters:
    ///   - path: the file, appended to; nil for none.
    ///   - quiet: whether messages below warnings stay off the console.
    ///   - clock: the time of a message.
    /// - Throws: ``FileError`` when the file cannot be opened.
    public init(
        console: Console, path: String? = nil, quiet: Bool = false,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) throws {
        self.console = console
        self.quiet = quiet
        self.path = path
        self.clock = clock
        do {
            file = Mutex(
                try path.map { path in
                    try FileDescriptor.open(
                        FilePath(path), .writeOnly, options: [.create, .append, .closeOnExec],
                        permissions: [.ownerReadWrite, .groupRead, .otherRead])
                })
        } catch let reason as Errno {
            throw FileError("'\(path ?? "")' could not be opened for writing", reason)
        }
    }

    deinit { file.withLock { file in try? file?.close() } }

    /// A logger that writes here.
    public func logger(level: Logger.Level = .debug) -> Logger {
        var logger = Logger(label: "dicerank") { _ in RunLogHandler(log: self) }
        logger.logLevel = level
        return logger
    }

    fileprivate func write(_ level: Logger.Level, _ text: String) {
        if level >= (quiet ? .warning : .info) {
            console.write(level >= .warning ? "\(level): \(text)" : text)
        }
        keep(level, text)
    }

    /// Writes to the file alone: for an error that the command prints.
    public func keep(_ level: Logger.Level, _ text: String) {
        let line = "\(clock().formatted(.iso8601)) \(level): \(text)\n"
        let failure = file.withLock { file -> Errno? in
            guard let descriptor = file else { return nil }
            do {
                _ = try descriptor.writeAll(Array(line.utf8))
                return nil
            } catch {
                try? descriptor.close()
                file = nil
                return error as? Errno ?? .ioError
            }
        }
        if let failure {
            console.write(
                "warning: '\(path ?? "")' could not be written: \(failure). The run goes on without it.")
        }
    }
}

/// The handler behind ``RunLog/logger(level:)``.
struct RunLogHandler: LogHandler {
    let log: RunLog
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    init(log: RunLog) { self.log = log }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let suffix = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        log.write(event.level, "\(event.message)\(suffix)")
    }
}
