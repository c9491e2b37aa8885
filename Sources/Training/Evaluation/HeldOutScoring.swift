import Collectives
import Engine
import Inference
import Sampling

/// Segments whole subjects with the running statistics and scores them, subject i on rank i mod N: each once,
/// whatever the number of ranks.
struct HeldOutScoring {
    /// Each with a reference.
    let subjects: [SubjectFiles]
    let reader: SubjectReader
    let window: SlidingWindow
    let communicator: any Communicator
    let rounds: ScoringRounds
    /// Is told what begins.
    let watch: (Phase) -> Void
    /// Is told after each round what all ranks have done.
    let show: (ScoringRounds.Progress) -> Void

    /// Collective.
    /// - Returns: The scores in the order of the subjects, the same on all ranks.
    /// - Throws: The same on all ranks: errors of data and memory, and ``ScoringRounds/Stopped``.
    func run() throws -> ScoreTable {
        var own = ScoringRounds.Progress()
        var scored: [Scored] = []
        do {
            _ = try end(own)
            for index in stride(from: communicator.rank, to: subjects.count, by: communicator.size) {
                scored.append(try score(index, &own))
            }
        } catch  where !rounds.isOver {
            _ = try end(own, failure: error)
        }
        own.isWorking = false
        while try end(own).isWorking {}
        let all = try communicator.allGatherVariable(Array(scored.map(\.text).joined().utf8))
        return table(
            all.flatMap { String(decoding: $0, as: UTF8.self).split(separator: "\n").map(Scored.init(line:)) }
        )
    }

    private func score(_ index: Int, _ own: inout ScoringRounds.Progress) throws -> Scored {
        let subject = try reader.read(subjects[index])
        var progress = own
        let scores = try window.scores(of: subject) { window in
            (progress.windows, progress.totalWindows) = (window.completedWindows, window.totalWindows)
            // The last window's round comes when the scores are there.
            if window.completedWindows < window.totalWindows { _ = try end(progress) }
        }
        own.subjects += 1
        _ = try end(own)
        return Scored(subject: index, scores: scores)
    }

    private func end(
        _ own: ScoringRounds.Progress, failure: (any Error)? = nil
    ) throws -> ScoringRounds.Progress {
        watch(.waitingForHeldOut)
        let all = try rounds.end(own, failure: failure)
        watch(.segmentingHeldOut)
        show(all)
        return all
    }

    private func table(_ scored: [Scored]) -> ScoreTable {
        precondition(
            scored.map(\.subject).sorted() == Array(subjects.indices),
            "\(subjects.count) subjects, scored \(scored.map(\.subject))")
        var table = ScoreTable()
        for one in scored.sorted(by: { $0.subject < $1.subject }) {
            table.add(subject: subjects[one.subject].subject, scores: one.scores)
        }
        return table
    }
}

/// Scores of one subject, which ranks send each other as a line of numbers.
private struct Scored {
    /// Its place among the subjects.
    let subject: Int
    let scores: [SegmentationScores]

    init(subject: Int, scores: [SegmentationScores]) { (self.subject, self.scores) = (subject, scores) }

    var text: String {
        let numbers = scores.map { "\($0.shared) \($0.prediction) \($0.reference) \($0.voxelVolume)" }
        return "\(subject) \(numbers.joined(separator: " "))\n"
    }

    /// - Parameter line: What `text` gave on another rank.
    init(line: Substring) {
        let words = line.split(separator: " ")
        func count(_ index: Int) -> Int {
            guard let number = Int(words[index]) else {
                preconditionFailure("'\(line)' is no line of scores")
            }
            return number
        }
        subject = count(0)
        scores = stride(from: 1, to: words.count, by: 4).map { first in
            SegmentationScores(
                shared: count(first), prediction: count(first + 1), reference: count(first + 2),
                voxelVolume: Double(words[first + 3]) ?? 0)
        }
    }
}
