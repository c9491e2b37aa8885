import Foundation

/// Draws subject and position of a slot's patch. Called from several threads.
final class PatchDrawer: @unchecked Sendable {
    let assignment: SlotAssignment
    let options: PatchSource.Options
    let store: SubjectStore
    private let names: [String]
    private let lock = NSLock()
    private var notices: [String] = []
    private var noticed: Set<Int> = []

    init(
        names: [String], assignment: SlotAssignment, options: PatchSource.Options,
        read: @escaping @Sendable (Int) throws -> Subject
    ) {
        self.names = names
        self.assignment = assignment
        self.options = options
        store = SubjectStore(budget: options.memoryBudget) { index in
            let subject = try read(index)
            guard let reference = subject.reference else {
                preconditionFailure("training on \(subject.name) without a reference")
            }
            let positions = options.sampler.positions(
                in: reference, extent: subject.extent, effective: options.effectiveSize)
            if positions.count == 0, options.noForeground == .uniform {
                let all = UniformSampler().positions(
                    in: reference, extent: subject.extent, effective: options.effectiveSize)
                return SampledSubject(subject: subject, positions: all, hasForeground: false)
            }
            return SampledSubject(subject: subject, positions: positions, hasForeground: positions.count > 0)
        }
    }

    /// Fills a slot of `batch`, which counts slots from the rank's first.
    /// - Parameter advance: Called after each subject that was had: the slot may take several, where some
    ///   have no foreground.
    func fill(_ batch: PatchBatch, step: Int, slot: Int, advance: () -> Void) throws -> PatchRecord {
        var drawn: SampledSubject?
        _ = try assignment.draw(step: step, slot: slot) { index in
            let subject = try subject(index)
            advance()
            guard subject.positions.count > 0 else { return false }
            drawn = subject
            return true
        }
        guard let drawn else {
            let subjects = assignment.subjects(of: slot).map { names[$0] }
            throw SubjectError.slotWithoutForeground(slot: slot, subjects: subjects)
        }
        var random = CounterRandom(seed: assignment.seed, step: step, slot: slot, stream: .position)
        let position = drawn.positions.draw(&random)
        let foreground = batch.fill(
            slot: slot - assignment.localSlots.lowerBound, from: drawn.subject, at: position)
        return PatchRecord(
            slot: slot, subject: drawn.subject.name, position: drawn.subject.order.stored(position),
            foregroundVoxels: foreground)
    }

    /// Reads one subject of the shard that no patch has needed yet; false where there is none, or no room.
    func preload() throws -> Bool {
        guard let index = store.firstToPreload(assignment.shard) else { return false }
        _ = try subject(index)
        return true
    }

    private func subject(_ index: Int) throws -> SampledSubject {
        let subject = try store.subject(index)
        if !subject.hasForeground { try applyRule(to: index) }
        return subject
    }

    private func applyRule(to index: Int) throws {
        let error = SubjectError.noForeground(subject: names[index])
        if options.noForeground == .error { throw error }
        lock.lock()
        defer { lock.unlock() }
        guard noticed.insert(index).inserted else { return }
        switch options.noForeground {
        case .skip:
            notices.append(
                "Subject \(names[index]) has no foreground voxel in its reference and is left out.")
        case .uniform:
            notices.append(
                "Subject \(names[index]) has no foreground voxel in its reference; its patches are drawn uniformly."
            )
        case .error:
            break
        }
    }

    func takeNotices() -> [String] {
        lock.lock()
        defer { lock.unlock() }
        defer { notices = [] }
        return notices
    }
}
