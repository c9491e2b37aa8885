import Collectives
import Foundation
import Synchronization

/// Ends a job in which a rank makes no progress, with a sentence that names rank, host, step and operation.
///
/// A thread of every rank tells rank 0 each moment what the rank does, and rank 0 answers, beside MPI, which
/// waits for the rank that is lost. Rank 0 finds out whom the others wait for and says so, once; where rank 0
/// itself is lost, the lowest rank that is left does. The processes end, and the launcher ends those that
/// cannot.
///
/// Where a process dies, the launcher sees it first and ends the others, by SIGTERM and, a second later,
/// SIGKILL. In between is said which rank is silent, and what it was doing.
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
        /// Ranks that are silent because they are through.
        var through: Set<Int> = []
        var hasNamedSilent = false
        var nextMessage = 0.0
        var nextJudgement = 0.0
        /// When this rank found that it waits for too long.
        var alarm: Double?
        var lastTurn = Watchdog.now
        /// Before then nothing is concluded.
        var patientUntil = 0.0
    }

    private let rank: Int
    private let diagnosis: Diagnosis
    private let channel: SideChannel?
    private let interval: Double
    private let warn: @Sendable (_ sentence: String) -> Void
    private let expire: @Sendable (_ sentence: String?) -> Void
    private let state = Mutex(State())

    /// Starts to watch the ranks of a communicator. Collective.
    /// - Parameters:
    ///   - seconds: How long an operation may take.
    ///   - warn: Given a sentence that names a silent rank when the job is told to end.
    ///   - expire: Given the sentence, or nil on ranks that have nothing to say; does not return to the
    ///     program in a run.
    init(
        seconds: Double, communicator: any Communicator,
        warn: @escaping @Sendable (_ sentence: String) -> Void = { _ in },
        expire: @escaping @Sendable (_ sentence: String?) -> Void
    ) throws(MPIError) {
        rank = communicator.rank
        // Rank 0 takes a few hundred messages a second at most.
        interval = min(communicator.size > 64 ? 1 : 0.25, seconds / 8)
        diagnosis = Diagnosis(
            hostNames: communicator.hostNames, timeout: seconds,
            longestSilence: min(max(3.5, 6 * interval), seconds / 2))
        channel = communicator.size > 1 ? try SideChannel(on: communicator) : nil
        (self.warn, self.expire) = (warn, expire)
        let others = (0..<communicator.size).filter { $0 != communicator.rank }
        let thread = Thread { [weak self] in
            var knowledge = Knowledge()
            // They were there a moment ago.
            for rank in others { knowledge.heard[rank] = (RankActivity(), Self.now) }
            while true {
                guard let self, self.turn(&knowledge) else { return }
            }
        }
        thread.start()
    }

    /// A sentence where some ranks are not heard.
    var warning: String? {
        channel?.unreachable.first.map(diagnosis.warning(unreachable:))
    }

    /// Watches no more, and tells the others not to miss this rank.
    func stop() {
        state.withLock { $0.isStopped = true }
        for peer in rank == 0 ? 1..<diagnosis.hostNames.count : 0..<1 where peer != rank {
            channel?.send(Array(Self.farewell.utf8), to: peer)
        }
    }

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
        nameSilent(&knowledge)
        guard Self.now >= max(knowledge.patientUntil, knowledge.nextJudgement) else { return true }
        knowledge.nextJudgement = Self.now + interval
        return rank == 0 ? judge(own, knowledge) : judgeAlone(own, &knowledge)
    }

    /// A process that was stopped and goes on has heard nothing meanwhile, which says nothing of the others.
    private func noticeSleep(_ knowledge: inout Knowledge) {
        let gap = Self.now - knowledge.lastTurn
        knowledge.lastTurn = Self.now
        guard gap > diagnosis.longestSilence else { return }
        knowledge.patientUntil = Self.now + diagnosis.longestSilence
        state.withLock { $0.since = min(Self.now, $0.since + gap) }
    }

    /// False where rank 0 has ended the job.
    private func listen(_ own: RankActivity, _ knowledge: inout Knowledge) -> Bool {
        guard let channel, channel.unreachable.isEmpty else {
            Thread.sleep(forTimeInterval: interval / 2)
            return true
        }
        var patience = interval / 2
        while let (sender, message) = channel.receive(within: patience) {
            patience = 0
            let text = String(decoding: message, as: UTF8.self)
            if rank > 0, text == Self.verdict {
                expire(nil)
                return false
            }
            if text == Self.farewell { knowledge.through.insert(sender) }
            guard let activity = RankActivity(message: text) else { continue }
            knowledge.heard[sender] = (activity, Self.now)
            if rank == 0 { channel.send(Array(own.message.utf8), to: sender) }
        }
        return true
    }

    /// Tells a rank that rank 0 has spoken for all.
    private static let verdict = "the job ends"

    /// Tells the others that a rank is through.
    private static let farewell = "through"

    /// Says once, after a signal, who has missed two messages.
    private func nameSilent(_ knowledge: inout Knowledge) {
        guard !knowledge.hasNamedSilent, let signal = StopSignals.pending, Self.now >= knowledge.patientUntil,
            channel?.unreachable.isEmpty ?? false
        else { return }
        // Rank 0 hears all, the others rank 0.
        let peers = rank == 0 ? knowledge.heard.keys.sorted() : rank == 1 ? [0] : []
        for peer in peers where !knowledge.through.contains(peer) {
            guard let heard = knowledge.heard[peer], Self.now - heard.at > 2.2 * interval else { continue }
            knowledge.hasNamedSilent = true
            warn(
                """
                \(StopSignals.name(signal)) was received, and rank \(peer) on \(diagnosis.hostNames[peer]) is silent: it was \
                last heard \(heard.activity.description).
                """)
        }
    }

    /// What rank 0 makes of it. False when the job ends.
    private func judge(_ own: RankActivity, _ knowledge: Knowledge) -> Bool {
        guard channel?.unreachable.isEmpty ?? true else {
            return judgeUnheard(own)
        }
        let others = knowledge.heard.sorted { $0.key < $1.key }.map { heard in
            Diagnosis.Witness(activity: heard.value.activity, silence: Self.now - heard.value.at)
        }
        let witnesses = [Diagnosis.Witness(activity: own, silence: 0)] + others
        guard diagnosis.isDue(witnesses) else { return true }
        for rank in knowledge.heard.keys {
            for _ in 0..<3 { channel?.send(Array(Self.verdict.utf8), to: rank) }
        }
        return end(diagnosis.sentence(witnesses))
    }

    /// What another rank makes of it that waits for too long: rank 0 will say why where that is so, or is
    /// lost.
    private func judgeAlone(_ own: RankActivity, _ knowledge: inout Knowledge) -> Bool {
        guard own.idle > diagnosis.timeout else {
            knowledge.alarm = nil
            return true
        }
        guard channel?.unreachable.isEmpty ?? true, let zero = knowledge.heard[0] else {
            return judgeUnheard(own)
        }
        let alarm = knowledge.alarm ?? Self.now
        knowledge.alarm = alarm
        let silence = Self.now - zero.at
        // One speaks for all: the lowest rank ends the job before the next would speak.
        guard silence > diagnosis.longestSilence, Self.now - alarm >= 0.5 * Double(min(rank - 1, 4)) else {
            return true
        }
        let known = Diagnosis(
            hostNames: [diagnosis.hostNames[0]], timeout: diagnosis.timeout,
            longestSilence: diagnosis.longestSilence)
        return end(known.sentence([.init(activity: zero.activity, silence: silence)]))
    }

    /// What a rank makes of it that knows of no other.
    private func judgeUnheard(_ own: RankActivity) -> Bool {
        diagnosis.isDueUnheard(own) ? end(diagnosis.sentence(unheard: own, rank: rank)) : true
    }

    private func end(_ sentence: String) -> Bool {
        expire(sentence)
        return false
    }
}

extension Watchdog: PhaseObserver {
    /// Notes a phase that has an operation's name; others are parts of the one that began before.
    func began(_ phase: Phase, step: Int) {
        guard let operation = phase.operation else { return }
        note {
            $0.operation = operation
            $0.step = step
        }
    }

    func progressed() { note { _ in } }
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
