import Foundation
import Geometry
import Testing

@testable import Sampling

@Suite struct PatchSourceTests {
    /// A subject whose voxels tell channel, subject and place, with lesions of two voxels.
    static func subject(_ index: Int, hasForeground: Bool = true) -> Subject {
        let extent = Size3(10, 11 + index, 12)
        var random = CounterRandom(seed: UInt64(index), stream: CounterRandom.Stream(200))
        var reference = [UInt8](repeating: 0, count: extent.count)
        if hasForeground { for _ in 0..<2 { reference[random.integer(below: extent.count)] = 1 } }
        let images = (0..<2 * extent.count).map { Float($0) + 10_000 * Float(index) }
        return Subject(
            name: "s\(index)", geometry: plainGeometry(extent), channels: 2, images: images,
            reference: reference)
    }

    static let names = (0..<5).map { "s\($0)" }

    static func options(
        ahead: Int = 2, threads: Int = 1, budget: Int? = nil, rule: NoForegroundRule = .skip
    ) -> PatchSource.Options {
        PatchSource.Options(
            inputSize: Size3(cube: 7), effectiveSize: Size3(cube: 3), noForeground: rule, ahead: ahead,
            threads: threads, memoryBudget: budget)
    }

    static func assignment(_ rank: Int = 0, of size: Int = 1, slots: Int = 4) throws -> SlotAssignment {
        try SlotAssignment(seed: 11, subjects: 5, globalSlots: slots, rank: rank, size: size)
    }

    /// A patch with everything that belongs to it.
    struct Patch: Equatable {
        let record: PatchRecord
        let images: [Float]
        let reference: [UInt8]
    }

    static func patches(_ batch: PatchBatch) -> [Patch] {
        batch.records.enumerated().map { slot, record in
            Patch(
                record: record, images: batch.withImages(slot: slot) { Array($0) },
                reference: batch.withReference(slot: slot) { Array($0) })
        }
    }

    /// The patches of a slot at a step, drawn directly.
    static func expected(step: Int, slot: Int) throws -> Patch {
        let dealt = try assignment()
        let subject = subject(dealt.draw(step: step, slot: slot))
        let reference = try #require(subject.reference)
        let positions = ForegroundSampler().positions(
            in: reference, extent: subject.extent, effective: Size3(cube: 3))
        var random = CounterRandom(seed: 11, step: step, slot: slot, stream: .position)
        let position = positions.draw(&random)
        var labels = [UInt8](repeating: 0, count: 27)
        var images = [Float](repeating: 0, count: 2 * 343)
        for channel in 0..<2 {
            for offset in 0..<343 {
                let v = VoxelIndex(offset: offset, in: Size3(cube: 7))
                let (z, y, x) = (position.z + v.z - 2, position.y + v.y - 2, position.x + v.x - 2)
                let e = subject.extent
                guard (0..<e.depth).contains(z), (0..<e.height).contains(y), (0..<e.width).contains(x) else {
                    continue
                }
                images[channel * 343 + offset] =
                    subject.images[((channel * e.depth + z) * e.height + y) * e.width + x]
            }
        }
        for offset in 0..<27 {
            let v = VoxelIndex(offset: offset, in: Size3(cube: 3))
            labels[offset] =
                reference[
                    ((position.z + v.z) * subject.extent.height + position.y + v.y) * 12 + position.x + v.x]
        }
        let record = PatchRecord(
            slot: slot, subject: subject.name, position: position, foregroundVoxels: labels.count { $0 != 0 })
        return Patch(record: record, images: images, reference: labels)
    }

    @Test(arguments: [(1, 1, 1), (1, 3, 4), (2, 2, 2), (4, 1, 3)], [nil, 1, 12_000] as [Int?])
    func patchesDependOnSeedStepAndSlotOnly(ranks: (size: Int, threads: Int, ahead: Int), budget: Int?) throws
    {
        for rank in 0..<ranks.size {
            let dealt = try Self.assignment(rank, of: ranks.size)
            let source = PatchSource(
                names: Self.names, channels: 2, assignment: dealt,
                options: Self.options(ahead: ranks.ahead, threads: ranks.threads, budget: budget),
                firstStep: 0
            ) { index in
                Thread.sleep(forTimeInterval: 0.0005 * Double(index % 3))
                return Self.subject(index)
            }
            for step in 0..<12 {
                let batch = try source.next(step: step)
                #expect(batch.step == step)
                let found = Self.patches(batch)
                #expect(found.count == dealt.localSlots.count)
                for (slot, patch) in zip(dealt.localSlots, found) {
                    #expect(
                        patch == (try Self.expected(step: step, slot: slot)), "step \(step), slot \(slot)")
                    #expect(patch.record.foregroundVoxels > 0)
                }
            }
        }
    }

    @Test func stepsMayBeTakenInAnyOrder() throws {
        let source = PatchSource(
            names: Self.names, channels: 2, assignment: try Self.assignment(),
            options: Self.options(threads: 2), firstStep: 100
        ) { Self.subject($0) }
        for step in [100, 101, 102, 7, 8, 8, 50, 0, 1, 2, 3] {
            let found = Self.patches(try source.next(step: step))
            #expect(try found == (0..<4).map { try Self.expected(step: step, slot: $0) }, "step \(step)")
        }
    }

    @Test func ranksOpenOnlyTheirShard() throws {
        for rank in 0..<4 {
            let dealt = try Self.assignment(rank, of: 4)
            let opened = Opened()
            let source = PatchSource(
                names: Self.names, channels: 2, assignment: dealt, options: Self.options(), firstStep: 0
            ) { index in
                opened.add(index)
                return Self.subject(index)
            }
            for step in 0..<10 { _ = try source.next(step: step) }
            #expect(Set(opened.indices).isSubset(of: dealt.shard))
            #expect(opened.indices.count == Set(opened.indices).count)
        }
    }

    @Test func theWholeShardIsReadInTheBackground() throws {
        let source = PatchSource(
            names: Self.names, channels: 2, assignment: try Self.assignment(), options: Self.options(),
            firstStep: 0
        ) { Self.subject($0) }
        let images = (0..<5).reduce(0) { $0 + Self.subject($1).byteCount }
        for _ in 0..<2000 where source.subjectBytes < images { Thread.sleep(forTimeInterval: 0.005) }
        // Positions come on top: a bit each, and their counts.
        #expect((images...images + 5 * 1000).contains(source.subjectBytes))
    }

    @Test func errorsOfTheBackgroundAreThrown() throws {
        let error = NIfTIError.missing(path: "a.nii")
        for threads in [1, 3] {
            let source = PatchSource(
                names: Self.names, channels: 2, assignment: try Self.assignment(),
                options: Self.options(threads: threads), firstStep: 0
            ) { index in
                if index == 3 { throw error }
                return Self.subject(index)
            }
            #expect(throws: error) { for step in 0..<1000 { _ = try source.next(step: step) } }
            #expect(throws: error) { try source.next(step: 5) }
        }
    }

    @Test func subjectsWithoutForegroundAreSkipped() throws {
        let dealt = try Self.assignment(slots: 1)
        let source = PatchSource(
            names: Self.names, channels: 2, assignment: dealt, options: Self.options(), firstStep: 0
        ) { Self.subject($0, hasForeground: $0 > 1) }
        var drawn: Set<String> = []
        for step in 0..<60 { drawn.formUnion(try source.next(step: step).records.map(\.subject)) }
        #expect(drawn == ["s2", "s3", "s4"])
        let notices = source.takeNotices()
        #expect(
            Set(notices) == [
                "Subject s0 has no foreground voxel in its reference and is left out.",
                "Subject s1 has no foreground voxel in its reference and is left out.",
            ])
        #expect(notices.count == 2)
        #expect(source.takeNotices().isEmpty)
    }

    @Test func otherRulesForSubjectsWithoutForeground() throws {
        let dealt = try Self.assignment(slots: 1)
        let uniform = PatchSource(
            names: Self.names, channels: 2, assignment: dealt, options: Self.options(rule: .uniform),
            firstStep: 0
        ) { Self.subject($0, hasForeground: $0 != 1) }
        var drawn: [String: Int] = [:]
        for step in 0..<60 {
            let record = try uniform.next(step: step).records[0]
            drawn[record.subject, default: 0] += 1
            #expect((record.foregroundVoxels == 0) == (record.subject == "s1"))
        }
        #expect(drawn.count == 5)
        #expect(
            uniform.takeNotices() == [
                "Subject s1 has no foreground voxel in its reference; its patches are drawn uniformly."
            ])
        let strict = PatchSource(
            names: Self.names, channels: 2, assignment: dealt, options: Self.options(rule: .error),
            firstStep: 0
        ) { Self.subject($0, hasForeground: $0 != 1) }
        #expect(throws: SubjectError.noForeground(subject: "s1")) {
            for step in 0..<1000 { _ = try strict.next(step: step) }
        }
        let empty = PatchSource(
            names: Self.names, channels: 2, assignment: dealt, options: Self.options(), firstStep: 0
        ) { Self.subject($0, hasForeground: false) }
        let error = #expect(throws: SubjectError.self) { try empty.next(step: 0) }
        guard case .slotWithoutForeground(0, let subjects) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(Set(subjects) == Set(Self.names))
    }

    /// Of a slot's subjects only the one that is tried last can be used, and each is read once the trainer
    /// was told of the one before.
    @Test func whoWaitsIsToldOfEachSubjectThatWasRead() throws {
        let dealt = try Self.assignment(slots: 1)
        var order: [Int] = []
        _ = dealt.draw(step: 0, slot: 0) { index in
            order.append(index)
            return false
        }
        let last = try #require(order.last)
        let (opened, told, late) = (Opened(), DispatchSemaphore(value: 0), Opened())
        let source = PatchSource(
            names: Self.names, channels: 2, assignment: dealt, options: Self.options(), firstStep: 0
        ) { index in
            if !opened.indices.isEmpty, told.wait(timeout: .now() + 10) == .timedOut { late.add(index) }
            opened.add(index)
            return Self.subject(index, hasForeground: index == last)
        }
        var count = 0
        let batch = try source.next(step: 0) {
            count += 1
            told.signal()
        }
        #expect(batch.records.map(\.subject) == ["s\(last)"])
        #expect(opened.indices == order && late.indices == [])
        // Nothing else counts: a reader that hangs goes on to be missed.
        #expect((4...6).contains(count))
    }

    /// A file system that is lost keeps a read for ever.
    @Test func theSourceEndsWhileAFileIsRead() throws {
        let (reading, lost) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        var source: PatchSource? = PatchSource(
            names: Self.names, channels: 2, assignment: try Self.assignment(), options: Self.options(),
            firstStep: 0
        ) { index in
            reading.signal()
            _ = lost.wait(timeout: .now() + 20)
            return Self.subject(index)
        }
        #expect(source != nil && reading.wait(timeout: .now() + 20) == .success)
        let start = ContinuousClock.now
        source = nil
        #expect(start.duration(to: .now) < .seconds(10))
        lost.signal()
    }

    @Test func theThreadsEndWithTheSource() throws {
        let probe = Opened()
        weak var alive: Opened?
        do {
            let inner = Opened()
            alive = inner
            let source = PatchSource(
                names: Self.names, channels: 2, assignment: try Self.assignment(),
                options: Self.options(threads: 3), firstStep: 0
            ) { index in
                inner.add(index)
                probe.add(index)
                return Self.subject(index)
            }
            _ = try source.next(step: 0)
        }
        // Each ends what it is at before.
        for _ in 0..<1000 where alive != nil { Thread.sleep(forTimeInterval: 0.005) }
        #expect(alive == nil)
        #expect(!probe.indices.isEmpty)
    }
}

/// Indices that were opened, from any thread.
final class Opened: @unchecked Sendable {
    private let lock = NSLock()
    private var list: [Int] = []

    func add(_ index: Int) {
        lock.lock()
        list.append(index)
        lock.unlock()
    }

    var indices: [Int] {
        lock.lock()
        defer { lock.unlock() }
        return list
    }
}

@Suite struct SubjectStoreTests {
    @Test func theLeastRecentlyUsedIsGivenUp() throws {
        let opened = Opened()
        let size = PatchSourceTests.subject(0).byteCount
        let store = SubjectStore(budget: 2 * size + 100) { index in
            opened.add(index)
            let subject = PatchSourceTests.subject(0)
            let positions = UniformSampler().positions(
                in: [], extent: subject.extent, effective: Size3(cube: 3))
            return SampledSubject(subject: subject, positions: positions, hasForeground: true)
        }
        for index in [0, 1, 0, 2, 0, 1] { _ = try store.subject(index) }
        // 1 gave way to 2, for 0 had been used since.
        #expect(opened.indices == [0, 1, 2, 1])
        #expect(store.byteCount <= 2 * size + 100)
        #expect(store.firstToPreload([0, 1, 2]) == nil)
    }
}
