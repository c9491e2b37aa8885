import Collectives
import Foundation

/// Keeps ranks that segment different subjects together: a round is one window on each, and after each round
/// all ranks know whether one of them has failed or was told to stop. So none waits longer than a window
/// takes, and none is left behind.
final class ScoringRounds {
    /// What a rank has done; of all ranks together where a round returns it.
    struct Progress: Equatable {
        /// Subjects that are scored.
        var subjects = 0
        /// Windows of the subject under way that are done, and all of it.
        var windows = 0
        var totalWindows = 0
        /// Whether there is more to do.
        var isWorking = true
    }

    /// Ends the scoring on all ranks: one of them was told to stop.
    struct Stopped: Error {
        let signal: Int32
    }

    /// Whether ranks have agreed to end: what was thrown then is known to all of them.
    private(set) var isOver = false
    private let communicator: any Communicator
    private let pendingSignal: () -> Int32?

    init(_ communicator: any Communicator, pendingSignal: @escaping () -> Int32? = { StopSignals.pending }) {
        (self.communicator, self.pendingSignal) = (communicator, pendingSignal)
    }

    /// Ends a round. Collective.
    /// - Parameter failure: Why this rank cannot go on.
    /// - Throws: On all ranks, where one has failed or was told to stop (``Stopped``).
    func end(_ own: Progress, failure: (any Error)? = nil) throws -> Progress {
        isOver = true
        let words = [
            Int64(pendingSignal() ?? 0), failure == nil ? 0 : 1, own.isWorking ? 1 : 0, Int64(own.subjects),
            Int64(own.windows), Int64(own.totalWindows),
        ]
        let all = try communicator.allGather(words)
        func column(_ index: Int) -> [Int] {
            stride(from: index, to: all.count, by: words.count).map { Int(all[$0]) }
        }
        if column(1).contains(1) {
            try communicator.together { if let failure { throw failure } }
        }
        if let signal = column(0).max(), signal > 0 { throw Stopped(signal: Int32(signal)) }
        isOver = false
        return Progress(
            subjects: column(3).reduce(0, +), windows: column(4).reduce(0, +),
            totalWindows: column(5).reduce(0, +), isWorking: column(2).contains(1))
    }
}
