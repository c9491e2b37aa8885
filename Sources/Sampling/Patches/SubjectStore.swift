import Foundation

/// A subject with the positions that patches are drawn at.
struct SampledSubject: Sendable {
    let subject: Subject
    let positions: any PatchPositions
    /// Whether the sampler found a position of its own.
    let hasForeground: Bool

    var byteCount: Int { subject.byteCount + positions.byteCount }
}

/// The subjects of a shard, read when they are first needed and kept in memory up to a budget.
///
/// Any thread may ask; two that ask for the same subject wait for one read.
final class SubjectStore: @unchecked Sendable {
    private enum Entry {
        case loading
        case ready(SampledSubject, lastUse: Int)
    }

    private let load: @Sendable (Int) throws -> SampledSubject
    private let budget: Int?
    private let condition = NSCondition()
    private var entries: [Int: Entry] = [:]
    private var bytes = 0
    private var largest = 0
    private var uses = 0

    /// - Parameter budget: bytes to keep at the most, or nil for all subjects. One subject is kept in any
    ///   case.
    init(budget: Int?, load: @escaping @Sendable (Int) throws -> SampledSubject) {
        self.budget = budget
        self.load = load
    }

    /// Bytes of the subjects in memory.
    var byteCount: Int { locked { bytes } }

    /// The subject with this index; waits until it is read.
    func subject(_ index: Int) throws -> SampledSubject {
        condition.lock()
        while case .loading = entries[index] { condition.wait() }
        if case .ready(let subject, _) = entries[index] {
            uses += 1
            entries[index] = .ready(subject, lastUse: uses)
            condition.unlock()
            return subject
        }
        entries[index] = .loading
        condition.unlock()
        let result = Result { try load(index) }
        return try locked {
            defer { condition.broadcast() }
            guard case .success(let subject) = result else {
                entries[index] = nil
                return try result.get()
            }
            uses += 1
            entries[index] = .ready(subject, lastUse: uses)
            bytes += subject.byteCount
            largest = max(largest, subject.byteCount)
            evict(keeping: index)
            return subject
        }
    }

    /// The first of `indices` that is not in memory yet, if another subject as large as the largest so far
    /// would fit.
    func firstToPreload(_ indices: [Int]) -> Int? {
        locked {
            if let budget, bytes + largest > budget { return nil }
            return indices.first { entries[$0] == nil }
        }
    }

    /// Gives up the subjects that were not used for the longest time until the budget is kept.
    private func evict(keeping kept: Int) {
        guard let budget else { return }
        while bytes > budget {
            var oldest: (index: Int, lastUse: Int, bytes: Int)?
            for case (let index, .ready(let subject, let lastUse)) in entries where index != kept {
                if lastUse < oldest?.lastUse ?? .max { oldest = (index, lastUse, subject.byteCount) }
            }
            guard let oldest else { return }
            entries[oldest.index] = nil
            bytes -= oldest.bytes
        }
    }

    private func locked<R>(_ body: () throws -> R) rethrows -> R {
        condition.lock()
        defer { condition.unlock() }
        return try body()
    }
}
