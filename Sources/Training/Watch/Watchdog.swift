import Collectives
import Foundation
import Synchronization

/// Ends a job in which a rank makes no progress, with a sentence that names rank, host, step and operation.
///
/// A thread of every rank tells rank 0 each moment what the rank does, and rank 0 answers, beside MPI, which waits for
/// the rank that is lost. Rank 0 finds out whom the others wait for and says so, once; where rank 0 itself is lost, the
/// lowest rank that is left does. The processes end, and the launcher ends those that cannot.
final class Watchdog: Sendable {
    private struct State {
        var activity = RankActivity()
        var since = Watchdog.now
        var isStopped = false
    }

    /// What the thread alone knows.
    private struct Knowledge {
        /// By rank: what it last said, and when.
        var heard: [Int: (activity: RankActivity, at: Double)] = [:]
        var nextMessage = 0.0
        /// When this rank found that it waits for too long.
        var alarm: Double?
        var lastTurn = Watchdog.now
        /// Before then nothing is concluded.
        var patientUntil = 0.0
    }

    private let rank: Int
    private let diagnosis: Diagnosis
    private let channel: SideChannel?
    private let fault: FaultInjection?
    private let interval: Double
    private let expire: @Sendable (_ sentence: String?) -> Void
    private let state = Mutex(State())

    /// Starts to watch the ranks of a communicator. Collective.
    /// - Parameters:
    ///   - seconds: How long an operation may take.
    ///   - expire: Given the sentence, or nil on ranks that have nothing to say; does not return to the program in a run.
    init(
        seconds: Double, communicator: any Communicator,
        expire: @escaping @Sendable (_ sentence: String?) -> Void
    ) throws(MPIError) {
        rank = communicator.rank
        // Rank 0 takes a few hundred messages a second at most.
        interval = min(communicator.size > 64 ? 1 : 0.25, seconds / 8)
        diagnosis = Diagnosis(
            hostNames: communicator.hostNames, timeout: seconds, longestSilence: min(3.5, seconds / 2))
        channel = communicator.size > 1 ? try SideChannel(on: communicator) : nil
        fault = FaultInjection.fromEnvironment
        self.expire = expire
        let thread = Thread { [weak self] in
            var knowledge = Knowledge()
            while true {
                guard let self, self.turn(&knowledge) else { return }
            }
        }
        thread.start()
    }

    /// A sentence where some ranks are not heard.
    var warning: String? {
        guard let first = channel?.unreachable.first else { return nil }
        return """
            Rank \(first) on \(diagnosis.hostNames[first]) and rank 0 on \(diagnosis.hostNames[0]) do not reach each other \
            by UDP: where a rank is lost, the ranks that wait for it end the job without naming it.
            """
    }

    /// Notes that an operation begins; `operation` reads on from "it was".
    func begin(_ operation: String, step: Int) {
        note {
            $0.operation = operation
            $0.step = step
        }
        fault?.strike(rank: rank, step: step, operation: operation)
    }

    /// Watches no more.
    func stop() { state.withLock { $0.isStopped = true } }

    private func note(_ change: (inout RankActivity) -> Void) {
        state.withLock { state in
            change(&state.activity)
            state.since = Self.now
        }
    }

    /// Seconds of a clock that stands still while the machine sleeps.
    private static var now: Double { ProcessInfo.processInfo.systemUptime }

    // MARK: The thread

    /// Waits a moment for messages. False when there is nothing more to do.
    private func turn(_ knowledge: inout Knowledge) -> Bool {
        let snapshot = state.withLock { $0 }
        guard !snapshot.isStopped else { return false }
        var own = snapshot.activity
        own.idle = Self.now - snapshot.since
        if rank > 0, Self.now >= knowledge.nextMessage {
            channel?.send(Array(own.message.utf8), to: 0)
            knowledge.nextMessage = Self.now + interval
        }
        guard listen(own, &knowledge) else { return false }
        noticeSleep(&knowledge)
        guard Self.now >= knowledge.patientUntil else { return true }
        return rank == 0 ? judge(own, knowledge) : judgeAlone(own, &knowledge)
    }

    /// A process that was stopped and goes on has heard nothing meanwhile, which says nothing of the others.
    private func noticeSleep(_ knowledge: inout Knowledge) {
        let gap = Self.now - knowledge.lastTurn
        knowledge.lastTurn = Self.now
        if gap > diagnosis.longestSilence { knowledge.patientUntil = Self.now + diagnosis.longestSilence }
    }

    /// False where rank 0 has ended the job.
    private func listen(_ own: RankActivity, _ knowledge: inout Knowledge) -> Bool {
        guard let channel, channel.unreachable.isEmpty else {
            Thread.sleep(forTimeInterval: interval / 2)
            return true
        }
        guard let (sender, message) = channel.receive(within: interval / 2) else { return true }
        let text = String(decoding: message, as: UTF8.self)
        if rank > 0, text == Self.verdict {
            expire(nil)
            return false
        }
        guard let activity = RankActivity(message: text) else { return true }
        knowledge.heard[sender] = (activity, Self.now)
        if rank == 0 { channel.send(Array(own.message.utf8), to: sender) }
        return true
    }

    /// Tells a rank that rank 0 has spoken for all.
    private static let verdict = "the job ends"

    /// What rank 0 makes of it. False when the job ends.
    private func judge(_ own: RankActivity, _ knowledge: Knowledge) -> Bool {
        let isConnected = channel?.unreachable.isEmpty ?? true
        let others = isConnected ? Array(1..<max(1, diagnosis.hostNames.count)) : []
        // Those who have not said a word yet did so when the channel was made.
        let witnesses =
            [Diagnosis.Witness(activity: own, silence: 0)]
            + others.compactMap { rank in
                knowledge.heard[rank].map { .init(activity: $0.activity, silence: Self.now - $0.at) }
            }
        guard witnesses.count == 1 + others.count, diagnosis.isDue(witnesses) else {
            return own.idle > diagnosis.timeout + 4 ? end(alone(own)) : true
        }
        for rank in others {
            for _ in 0..<3 { channel?.send(Array(Self.verdict.utf8), to: rank) }
        }
        return end(isConnected ? diagnosis.sentence(witnesses) : alone(own))
    }

    /// What another rank makes of it that waits for too long: rank 0 will say why, or is lost.
    private func judgeAlone(_ own: RankActivity, _ knowledge: inout Knowledge) -> Bool {
        guard own.idle > diagnosis.timeout else {
            knowledge.alarm = nil
            return true
        }
        let alarm = knowledge.alarm ?? Self.now
        knowledge.alarm = alarm
        guard let zero = knowledge.heard[0] else {
            return Self.now - alarm > 2 ? end(alone(own)) : true
        }
        let silence = Self.now - zero.at
        // One speaks for all: the lowest rank ends the job before the next would speak.
        if silence > diagnosis.longestSilence, Self.now - alarm > 0.5 * Double(min(rank - 1, 4)) {
            let known = Diagnosis(
                hostNames: [diagnosis.hostNames[0]], timeout: diagnosis.timeout,
                longestSilence: diagnosis.longestSilence)
            return end(known.sentence([.init(activity: zero.activity, silence: silence)]))
        }
        return Self.now - alarm > 3 ? end(alone(own)) : true
    }

    /// What a rank can say that knows of no other.
    private func alone(_ own: RankActivity) -> String {
        """
        rank \(rank) on \(diagnosis.hostNames[rank]) made no progress for \(Int(diagnosis.timeout)) s \
        (distributed.timeout): it was \(own.description).
        """
    }

    private func end(_ sentence: String) -> Bool {
        expire(sentence)
        return false
    }
}

extension Watchdog: CommunicationObserver {
    func callBegins(_ call: String, bytes: Int) {
        note {
            $0.call = call
            // A wait is for an operation that was counted when it began.
            if !call.hasPrefix("MPI_Wait") { $0.operations += 1 }
        }
    }

    func callEnds() { note { $0.call = "" } }

    func operationBegins(_ number: Int, call: String, bytes: Int) { note { $0.operations += 1 } }

    func operationEnds(_ number: Int) {}
}
