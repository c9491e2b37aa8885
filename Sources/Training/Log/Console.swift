import Collectives
import Glibc
import Synchronization

/// Standard error, shared by messages and a line that updates in place. Safe to use from any thread.
///
/// The cursor stays visible and the terminal's state is never changed: a process that is interrupted leaves
/// nothing to repair.
public final class Console: Sendable {
    private struct State {
        /// What stands in the terminal's last line, to be drawn again below messages.
        var line = ""
    }

    private let state = Mutex(State())
    private let output: @Sendable (String) -> Void
    private let terminalWidth: @Sendable () -> Int?

    /// Standard error.
    public convenience init() {
        self.init(
            output: StandardError.write,
            terminalWidth: { isatty(STDERR_FILENO) == 1 ? Console.width(of: STDERR_FILENO) : nil })
    }

    /// - Parameters:
    ///   - output: takes text to be written at once.
    ///   - terminalWidth: columns of the terminal, or nil where the output is none.
    public init(output: @escaping @Sendable (String) -> Void, terminalWidth: @escaping @Sendable () -> Int?) {
        self.output = output
        self.terminalWidth = terminalWidth
    }

    /// Columns of the terminal now; nil where lines cannot update in place.
    public var width: Int? { terminalWidth() }

    /// Writes a line above the one that updates in place.
    public func write(_ text: String) {
        state.withLock { state in
            guard !state.line.isEmpty else { return output(text + "\n") }
            output("\r\u{1B}[K" + text + "\n" + state.line)
        }
    }

    /// Replaces the line that updates in place; it is cut to the terminal's width, so that it never wraps.
    public func show(_ line: String) {
        guard let width else { return }
        state.withLock { state in
            state.line = String(line.prefix(max(1, width - 1)))
            output("\r\u{1B}[K" + state.line)
        }
    }

    /// Lets the line that updates in place stand as it is; the next output begins below it.
    public func keepLine() {
        state.withLock { state in
            if !state.line.isEmpty { output("\n") }
            state.line = ""
        }
    }

    private static func width(of descriptor: Int32) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
