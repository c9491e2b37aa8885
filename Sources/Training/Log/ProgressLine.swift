import Foundation
import RunFiles

/// How far a run is, on one line: on a terminal it updates in place, at most once a second; elsewhere it is a
/// plain line for the first step, then one every ten seconds, and one for the last step.
///
/// ```
/// step 1200/3000  40 %  loss 0.2143  DSC 0.812  ETA 12 min 30 s  1.85 M voxels/s
/// ```
public struct ProgressLine {
    /// What a step reports.
    public struct Step {
        public var step: Int
        public var loss: Double
        public var dice: Double
        public var seconds: Double
        public var voxelsPerSecond: Double

        public init(step: Int, loss: Double, dice: Double, seconds: Double, voxelsPerSecond: Double) {
            self.step = step
            self.loss = loss
            self.dice = dice
            self.seconds = seconds
            self.voxelsPerSecond = voxelsPerSecond
        }
    }

    private var pace: ProgressPace
    private let total: Int
    /// Mean of the steps' durations in which a step counts 0.95 of the next.
    private var meanStep: Double?

    /// - Parameters:
    ///   - total: steps of the run.
    ///   - quiet: shows nothing.
    ///   - seconds: a clock that only goes forward.
    public init(
        console: Console, total: Int, quiet: Bool = false,
        seconds: @escaping () -> Double = { ProcessInfo.processInfo.systemUptime }
    ) {
        pace = ProgressPace(console: console, quiet: quiet, seconds: seconds)
        self.total = total
    }

    /// Notes a step, and shows it when it is time to.
    public mutating func update(_ step: Step) {
        meanStep = meanStep.map { 0.95 * $0 + 0.05 * step.seconds } ?? step.seconds
        let left = (meanStep ?? 0) * Double(total - step.step)
        pace.show(isLast: step.step >= total) { width in
            Self.text(step, total: total, secondsLeft: left, width: width)
        }
    }

    /// Leaves the last line as it stands.
    public func finish() { pace.console.keepLine() }

    /// As many of the fields as the width holds; the first always.
    static func text(_ step: Step, total: Int, secondsLeft: Double, width: Int?) -> String {
        let percent = step.step * 100 / max(1, total)
        let fields = [
            "step \(step.step)/\(total)  \(percent) %", "loss \(fixed(step.loss, 4))",
            "DSC \(fixed(step.dice, 3))",
            "ETA \(Quantity.duration(secondsLeft))", "\(Quantity.short(step.voxelsPerSecond)) voxels/s",
        ]
        var text = fields[0]
        for field in fields.dropFirst() where width.map({ text.count + 2 + field.count < $0 }) ?? true {
            text += "  " + field
        }
        return text
    }

    private static func fixed(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }
}
