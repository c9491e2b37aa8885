import Foundation
import Glibc

/// A signal that a rank sends itself, for tests of what becomes of a job then.
///
/// The environment variable `DICERANK_FAULT` is `SIGNAL:RANK:STEP:OPERATION`, such as `9:1:5:computing
/// gradients`: the signal's number, and where it comes: when that rank begins the phase of that
/// ``Phase/operation`` at that step.
struct FaultInjection: Equatable, Sendable {
    let signal: Int32
    let rank: Int, step: Int
    let operation: String

    /// Nil for what is none.
    init?(_ text: String) {
        let fields = text.split(separator: ":", maxSplits: 3)
        guard fields.count == 4, let signal = Int32(fields[0]), let rank = Int(fields[1]),
            let step = Int(fields[2])
        else { return nil }
        (self.signal, self.rank, self.step, operation) = (signal, rank, step, String(fields[3]))
    }

    static let fromEnvironment = ProcessInfo.processInfo.environment["DICERANK_FAULT"].flatMap(Self.init)

    /// Whether the signal comes where a rank begins a phase.
    func strikes(rank: Int, _ phase: Phase, step: Int) -> Bool {
        rank == self.rank && step == self.step && phase.operation == operation
    }
}

/// Sends the signal where its phase begins; heard after those who note the phase.
final class FaultInjector: PhaseObserver {
    private let fault: FaultInjection
    private let rank: Int

    init(_ fault: FaultInjection, rank: Int) { (self.fault, self.rank) = (fault, rank) }

    func began(_ phase: Phase, step: Int) {
        guard fault.strikes(rank: rank, phase, step: step) else { return }
        kill(getpid(), fault.signal)
        // Another thread hears it.
        Thread.sleep(forTimeInterval: 0.05)
    }
}
