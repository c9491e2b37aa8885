/// Which subjects each slot of the global batch draws from, and which slots a rank owns.
///
/// A seeded permutation lays the S subjects out in a row, and the row is cut into B equal parts, one a slot.
/// Where B does not divide S, a subject on a cut belongs to both neighbours in proportion; where there are
/// fewer subjects than slots, slots share subjects. So every subject has the same chance in every global
/// batch. Rank r of N owns the slots `r*B/N ..< (r+1)*B/N` and opens only their subjects: its shard.
///
/// A global batch that is computed as k micro-batches has its slots s with s mod k = m in micro-batch m: the
/// same patches on any number of ranks, which must divide a micro-batch.
public struct SlotAssignment: Hashable, Sendable {
    public let seed: UInt64
    /// Number of subjects, S.
    public let subjects: Int
    /// Number of slots of the global batch, B.
    public let globalSlots: Int
    /// Number of micro-batches that the global batch is computed as, k; divides B.
    public let microBatches: Int
    public let rank: Int
    /// Number of ranks, N.
    public let size: Int
    private let order: [Int]

    /// - Throws: `SlotAssignmentError` where there is no subject, or N does not divide B/k.
    public init(
        seed: UInt64, subjects: Int, globalSlots: Int, microBatches: Int = 1, rank: Int, size: Int
    ) throws(SlotAssignmentError) {
        precondition(
            globalSlots > 0 && microBatches > 0 && globalSlots % microBatches == 0,
            "a batch of \(globalSlots) as \(microBatches) micro-batches")
        precondition(size > 0 && (0..<size).contains(rank), "rank \(rank) of \(size)")
        guard subjects > 0 else { throw .noSubjects }
        let batch = globalSlots / microBatches
        guard batch % size == 0 else { throw .ranksDoNotDivide(batch: batch, ranks: size) }
        self.seed = seed
        self.subjects = subjects
        self.globalSlots = globalSlots
        self.microBatches = microBatches
        self.rank = rank
        self.size = size
        var random = CounterRandom(seed: seed, stream: .slotAssignment)
        order = random.permutation(of: subjects)
    }

    /// The slots of this rank.
    public var localSlots: Range<Int> {
        globalSlots / size * rank..<globalSlots / size * (rank + 1)
    }

    /// Slots of this rank in a micro-batch: of its slots in their order, every k-th one.
    public var microBatchSlots: Int { localSlots.count / microBatches }

    /// The subjects that a slot draws from; one or more.
    public func subjects(of slot: Int) -> [Int] {
        shares(of: slot).map(\.subject)
    }

    /// The subjects of this rank's slots, each once, in ascending order.
    public var shard: [Int] {
        Set(localSlots.flatMap { subjects(of: $0) }).sorted()
    }

    /// The subject of a slot at a step: a pure function of (seed, step, slot).
    public func draw(step: Int, slot: Int) -> Int {
        guard let subject = draw(step: step, slot: slot, isUsable: { _ in true }) else {
            preconditionFailure("slot \(slot) without a subject")
        }
        return subject
    }

    /// The subject of a slot at a step, where some subjects cannot be drawn from.
    ///
    /// - Parameter isUsable: whether a patch can be drawn from a subject; if not, another of the slot's
    ///   subjects is drawn. Asked at most once a subject.
    /// - Returns: nil where none of the slot's subjects is usable.
    public func draw(step: Int, slot: Int, isUsable: (Int) throws -> Bool) rethrows -> Int? {
        var random = CounterRandom(seed: seed, step: step, slot: slot, stream: .subject)
        var candidates = shares(of: slot)
        while !candidates.isEmpty {
            var ticket = random.integer(below: candidates.reduce(0) { $0 + $1.weight })
            var drawn = 0
            while ticket >= candidates[drawn].weight {
                ticket -= candidates[drawn].weight
                drawn += 1
            }
            let subject = candidates.remove(at: drawn).subject
            if try isUsable(subject) { return subject }
        }
        return nil
    }

    /// The row of subjects is cut in units of 1/B subject: slot s holds the units `s*S ..< (s+1)*S`.
    private func shares(of slot: Int) -> [(subject: Int, weight: Int)] {
        precondition((0..<globalSlots).contains(slot), "slot \(slot) of \(globalSlots)")
        let units = slot * subjects..<(slot + 1) * subjects
        return (units.lowerBound / globalSlots...(units.upperBound - 1) / globalSlots).map { place in
            let own = units.clamped(to: place * globalSlots..<(place + 1) * globalSlots)
            return (order[place], own.count)
        }
    }
}

/// Why subjects could not be dealt to slots.
public enum SlotAssignmentError: Error, Hashable, Sendable, CustomStringConvertible {
    case noSubjects
    case ranksDoNotDivide(batch: Int, ranks: Int)

    public var description: String {
        switch self {
        case .noSubjects:
            return "There is no subject to train on."
        case .ranksDoNotDivide(let batch, let ranks):
            let divisors = (1...batch).filter { batch % $0 == 0 }.map(String.init)
            return "A batch of \(batch) cannot be divided among \(ranks) ranks; "
                + "\(listed(divisors)) \(divisors.count == 1 ? "is a number" : "are numbers") of ranks that divide it."
        }
    }
}
