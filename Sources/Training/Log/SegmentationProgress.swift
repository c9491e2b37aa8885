import Foundation
import RunFiles

/// How far the segmentation of volumes is, on one line: on a terminal it updates in place; elsewhere a volume
/// that takes longer than ten seconds gets a plain line every ten seconds.
///
/// ```
/// phantom-003  volume 3/12  window 3/8  22 %  ETA 4 min 10 s
/// ```
public final class SegmentationProgress {
    private var pace: ProgressPace
    private let volumes: Int
    private let start: Double
    /// Volumes that are done.
    private var done = 0

    // Of the volume under way.
    private var name = ""
    private var totalWindows = 1
    private var windows = 0
    /// Operations of a window, and those that are done since the last one.
    private var operationsOfWindow = 1
    private var operations = 0

    /// - Parameters:
    ///   - volumes: to be segmented.
    ///   - quiet: shows nothing.
    ///   - seconds: a clock that only goes forward.
    public init(
        console: Console, volumes: Int, quiet: Bool = false,
        seconds: @escaping () -> Double = { ProcessInfo.processInfo.systemUptime }
    ) {
        pace = ProgressPace(console: console, quiet: quiet, seconds: seconds)
        self.volumes = volumes
        start = seconds()
    }

    /// Notes that a volume begins.
    public func begin(_ name: String, windows: Int, operationsOfWindow: Int) {
        (self.name, totalWindows, self.windows) = (name, max(1, windows), 0)
        (self.operationsOfWindow, operations) = (max(1, operationsOfWindow), 0)
        pace.wait()
    }

    /// Notes how many windows of the volume are done.
    public func reach(windows: Int) {
        (self.windows, operations) = (windows, 0)
        show()
    }

    /// Notes operations within a window.
    public func add(operations: Int) {
        self.operations += operations
        show()
    }

    /// Notes that the volume is done, and takes the line away.
    public func end() {
        done += 1
        pace.console.show("")
    }

    private func show() {
        let underWay = min(1, Double(operations) / Double(operationsOfWindow))
        let ofVolume = min(1, (Double(windows) + underWay) / Double(totalWindows))
        let share = (Double(done) + ofVolume) / Double(max(1, volumes))
        let left = share > 0 ? (pace.seconds() - start) * (1 - share) / share : .infinity
        let fields = [
            name, "volume \(done + 1)/\(volumes)",
            "window \(min(windows + 1, totalWindows))/\(totalWindows)", "\(Int(100 * share)) %",
            "ETA \(Quantity.duration(left))",
        ]
        pace.show(isLast: false) { _ in fields.joined(separator: "  ") }
    }
}
