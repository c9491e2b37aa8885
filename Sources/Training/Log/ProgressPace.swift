import Foundation

/// When progress is shown: on a terminal at most once a second, in place; elsewhere as a plain line every ten
/// seconds.
struct ProgressPace {
    let console: Console
    let quiet: Bool
    /// A clock that only goes forward.
    let seconds: () -> Double
    /// When the last line was shown; nil shows the next at once.
    private var lastShown: Double?

    init(console: Console, quiet: Bool, seconds: @escaping () -> Double) {
        (self.console, self.quiet, self.seconds) = (console, quiet, seconds)
    }

    /// Shows a line when it is time to.
    /// - Parameters:
    ///   - isLast: shows it in any case.
    ///   - text: for a width in columns, nil where lines are plain.
    mutating func show(isLast: Bool, _ text: (Int?) -> String) {
        guard !quiet else { return }
        let now = seconds()
        let width = console.width
        if let lastShown, now - lastShown < (width == nil ? 10.0 : 1.0), !isLast { return }
        lastShown = now
        if width == nil { console.write(text(nil)) } else { console.show(text(width)) }
    }

    /// Lets the time to the next plain line begin now.
    mutating func wait() { if console.width == nil { lastShown = seconds() } }
}
