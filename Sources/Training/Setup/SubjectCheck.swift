import Collectives
import Sampling

/// Opens the files of all subjects before the first step, subject i on rank i mod N: a file that is missing,
/// cut or of another grid ends a run before it has done anything and not after its last step.
///
/// Of each file the header is read, and the end where it is compressed; references of held-out subjects are
/// read whole, as no step of the training opens them. What only the voxels of an image tell is found when
/// they are read.
public struct SubjectCheck {
    private let subjects: [SubjectFiles]
    /// Where the held-out ones begin.
    private let firstHeldOut: Int
    private let reader: SubjectReader

    /// The held-out subjects count where the run will score them.
    public init(_ task: TrainingTask) {
        let evaluate = task.configuration.evaluate
        let isScored = evaluate.atEnd || evaluate.every > 0
        subjects = task.subjects + (isScored ? task.heldOut : [])
        firstHeldOut = task.subjects.count
        reader = task.reader
    }

    /// Collective.
    /// - Parameter progress: is called after each subject.
    /// - Throws: ``TrainingError/unusable(_:)``, the same on all ranks.
    public func run(on communicator: any Communicator, progress: () -> Void = {}) throws {
        var own: [String] = []
        for index in stride(from: communicator.rank, to: subjects.count, by: communicator.size) {
            do {
                try reader.check(subjects[index], readsReference: index >= firstHeldOut)
            } catch {
                let sentence = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
                own.append("\(index) \(sentence)\n")
            }
            progress()
        }
        let all = try communicator.allGatherVariable(Array(own.joined().utf8))
            .flatMap { String(decoding: $0, as: UTF8.self).split(separator: "\n") }
        let faults = all.map { line in
            let words = line.split(separator: " ", maxSplits: 1)
            return (index: Int(words[0]) ?? 0, sentence: String(words.last ?? ""))
        }.sorted { $0.index < $1.index }
        guard let first = faults.first else { return }
        throw TrainingError.unusable(
            sentence(first.index, first.sentence, others: faults.dropFirst().map(\.index)))
    }

    private func sentence(_ index: Int, _ fault: String, others: [Int]) -> String {
        let head = index >= firstHeldOut ? "Held-out subject \(subjects[index].subject): " : ""
        guard !others.isEmpty else { return head + fault }
        let names = others.prefix(5).map { subjects[$0].subject } + (others.count > 5 ? ["..."] : [])
        let end = fault.hasSuffix(".") ? String(fault.dropLast()) : fault
        return head + end
            + "; \(counted(others.count, "other subject")) cannot be used either: "
            + names.joined(separator: ", ") + (others.count > 5 ? "" : ".")
    }
}
