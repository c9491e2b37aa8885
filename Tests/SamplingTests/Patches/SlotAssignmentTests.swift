import Testing

@testable import Sampling

@Suite struct SlotAssignmentTests {
    private func assignment(
        _ subjects: Int, slots: Int, rank: Int = 0, of size: Int = 1, seed: UInt64 = 1
    ) throws -> SlotAssignment {
        try SlotAssignment(seed: seed, subjects: subjects, globalSlots: slots, rank: rank, size: size)
    }

    @Test func moreSubjectsThanSlots() throws {
        let dealt = try assignment(12, slots: 4)
        let sets = (0..<4).map { dealt.subjects(of: $0) }
        #expect(sets.allSatisfy { $0.count == 3 })
        #expect(sets.flatMap { $0 }.sorted() == Array(0..<12))
        #expect(try assignment(12, slots: 4, seed: 2).subjects(of: 0) != sets[0])
    }

    @Test func fewerSubjectsThanSlots() throws {
        let dealt = try assignment(2, slots: 8)
        #expect((0..<8).allSatisfy { dealt.subjects(of: $0).count == 1 })
        for subject in 0..<2 {
            #expect((0..<8).count { dealt.subjects(of: $0) == [subject] } == 4)
        }
    }

    @Test(arguments: [(1, 1), (3, 8), (5, 4), (7, 4), (12, 8), (13, 8)])
    func everySubjectIsDrawnEquallyOften(subjects: Int, slots: Int) throws {
        let dealt = try assignment(subjects, slots: slots)
        var counts = [Int](repeating: 0, count: subjects)
        let steps = 2000
        let own = (0..<slots).map { Set(dealt.subjects(of: $0)) }
        var strays = 0
        for step in 0..<steps {
            for slot in 0..<slots {
                let drawn = dealt.draw(step: step, slot: slot)
                if !own[slot].contains(drawn) { strays += 1 }
                counts[drawn] += 1
            }
        }
        #expect(strays == 0)
        let expected = Double(steps * slots) / Double(subjects)
        // Five standard deviations of independent draws.
        #expect(counts.allSatisfy { abs(Double($0) - expected) < 5 * expected.squareRoot() })
    }

    @Test func ranksOwnTheirSlotsAndDrawTheSame() throws {
        let alone = try assignment(13, slots: 8)
        for size in [1, 2, 4, 8] {
            var slots: [Int] = []
            for rank in 0..<size {
                let own = try assignment(13, slots: 8, rank: rank, of: size)
                slots += own.localSlots
                for slot in own.localSlots {
                    #expect(own.subjects(of: slot).allSatisfy(own.shard.contains))
                    for step in 0..<20 {
                        #expect(own.draw(step: step, slot: slot) == alone.draw(step: step, slot: slot))
                    }
                }
                // A rank opens its part of the list, and at the most one more where a cut runs through a
                // subject.
                #expect(own.shard.count <= (13 + size - 1) / size + 1)
            }
            #expect(slots == Array(0..<8))
        }
    }

    @Test func ranksThatDoNotDivideTheBatch() {
        let error = #expect(throws: SlotAssignmentError.self) {
            try SlotAssignment(seed: 1, subjects: 5, globalSlots: 12, rank: 0, size: 5)
        }
        #expect(
            error?.description == "A batch of 12 cannot be divided among 5 ranks; "
                + "1, 2, 3, 4, 6 and 12 are numbers of ranks that divide it.")
        #expect(throws: SlotAssignmentError.noSubjects) {
            try SlotAssignment(seed: 1, subjects: 0, globalSlots: 1, rank: 0, size: 1)
        }
    }

    /// 24 slots as 3 micro-batches of 8: 4 ranks own 6 slots each, 2 in each micro-batch; 12 ranks would
    /// divide the 24.
    @Test func ranksDivideAMicroBatch() throws {
        let dealt = try SlotAssignment(
            seed: 1, subjects: 5, globalSlots: 24, microBatches: 3, rank: 2, size: 4)
        #expect(dealt.localSlots == 12..<18)
        #expect(dealt.microBatchSlots == 2)
        let error = #expect(throws: SlotAssignmentError.self) {
            try SlotAssignment(seed: 1, subjects: 5, globalSlots: 24, microBatches: 3, rank: 0, size: 12)
        }
        #expect(error == .ranksDoNotDivide(batch: 8, ranks: 12))
    }

    @Test func unusableSubjectsAreReplacedByOthersOfTheSlot() throws {
        let dealt = try assignment(3, slots: 1)
        var drawn: Set<Int> = []
        for step in 0..<50 {
            var asked: [Int] = []
            let subject = dealt.draw(step: step, slot: 0) { candidate in
                asked.append(candidate)
                return candidate != 1
            }
            drawn.insert(try #require(subject))
            #expect(Set(asked).count == asked.count)
            #expect(asked.first == dealt.draw(step: step, slot: 0))
        }
        #expect(drawn == [0, 2])
        var asked = 0
        let none = dealt.draw(step: 0, slot: 0) { _ in
            asked += 1
            return false
        }
        #expect(none == nil)
        #expect(asked == 3)
    }
}

@Suite struct HeldOutSplitTests {
    @Test(arguments: [
        (10, 0.0, 0), (10, 0.1, 1), (12, 0.1, 1), (15, 0.1, 2), (524, 0.1, 52), (4, 0.1, 1), (2, 0.9, 1),
        (1, 0.5, 0),
    ])
    func rounding(subjects: Int, fraction: Double, heldOut: Int) {
        let split = HeldOutSplit(subjects: subjects, fraction: fraction, seed: 3)
        #expect(split.heldOut.count == heldOut)
        #expect((split.heldOut + split.training).sorted() == Array(0..<subjects))
        #expect(split.training == split.training.sorted())
    }

    @Test func seeded() {
        let split = HeldOutSplit(subjects: 100, fraction: 0.2, seed: 3)
        #expect(split == HeldOutSplit(subjects: 100, fraction: 0.2, seed: 3))
        #expect(split != HeldOutSplit(subjects: 100, fraction: 0.2, seed: 4))
    }
}
