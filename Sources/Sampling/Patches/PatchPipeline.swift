import Foundation

/// A ring of batches that background threads fill in order and the trainer takes in order.
///
/// One batch is the trainer's; the others are filled. Everything but the patches themselves is guarded by
/// `condition`, and a slot of a batch belongs to the one thread that claimed it.
final class PatchPipeline: @unchecked Sendable {
    let drawer: PatchDrawer
    private let slots: Range<Int>
    private let ring: [PatchBatch]
    private let condition = NSCondition()

    /// The step that the trainer takes next.
    private var nextStep: Int
    /// The step and slot that a thread claims next.
    private var claimedStep: Int
    private var claimedSlot: Int
    /// By place in the ring: the slots that are still to be filled, and their records.
    private var missing: [Int]
    private var records: [[PatchRecord?]]
    /// Subjects that were found for a patch and slots that were filled, since the trainer was last told.
    private var advances = 0
    private var failure: (any Error)?
    private var isStopping = false
    private var isRestarting = false
    private var isPreloading = false
    private var isPreloaded = false
    private var busyThreads = 0

    init(drawer: PatchDrawer, channels: Int, firstStep: Int) {
        self.drawer = drawer
        slots = drawer.assignment.localSlots
        let options = drawer.options
        let slotCount = slots.count
        ring = (0...options.ahead).map { _ in
            PatchBatch(
                slots: slotCount, channels: channels, inputSize: options.inputSize,
                effectiveSize: options.effectiveSize, softClasses: options.softClasses)
        }
        nextStep = firstStep
        claimedStep = firstStep
        claimedSlot = slots.lowerBound
        missing = Array(repeating: slotCount, count: ring.count)
        records = Array(repeating: Array(repeating: nil, count: slotCount), count: ring.count)
    }

    func start(threads: Int) {
        for _ in 0..<threads {
            let thread = Thread { [self] in work() }
            thread.name = "dicerank-patch"
            thread.start()
        }
    }

    /// Ends the threads. It does not wait for one that still reads, for a file system that is lost may keep
    /// it for ever: the pipeline is there until its last thread is through.
    func stop() {
        condition.lock()
        isStopping = true
        condition.broadcast()
        condition.unlock()
    }

    /// - Parameter advanced: Called while it waits, with the lock held, when the patches have come nearer.
    func take(step: Int, advanced: () -> Void) throws -> PatchBatch {
        condition.lock()
        defer { condition.unlock() }
        if step != nextStep { restart(at: step) }
        let place = step % ring.count
        while missing[place] > 0, failure == nil {
            if advances > 0 { advanced() }
            advances = 0
            condition.wait()
        }
        if let failure { throw failure }
        let batch = ring[place]
        batch.step = step
        batch.records = records[place].compactMap { $0 }
        // The batch that was taken before this one is free now.
        let freed = (step + ring.count - 1) % ring.count
        missing[freed] = slots.count
        nextStep = step + 1
        condition.broadcast()
        return batch
    }

    /// Drops what was prepared. Called with the lock held.
    private func restart(at step: Int) {
        isRestarting = true
        while busyThreads > 0 { condition.wait() }
        isRestarting = false
        nextStep = step
        claimedStep = step
        claimedSlot = slots.lowerBound
        for place in ring.indices { missing[place] = slots.count }
        condition.broadcast()
    }

    private func work() {
        condition.lock()
        while !isStopping, failure == nil {
            // While the trainer holds the batch of `nextStep - 1`, the ring has room for `ahead` more.
            if isRestarting {
                condition.wait()
            } else if claimedStep < nextStep + ring.count - 1 {
                let (step, slot) = (claimedStep, claimedSlot)
                claimedSlot += 1
                if claimedSlot == slots.upperBound {
                    claimedStep += 1
                    claimedSlot = slots.lowerBound
                }
                perform {
                    let place = step % ring.count
                    let record = try drawer.fill(ring[place], step: step, slot: slot) { advance() }
                    return { [self] in
                        advances += 1
                        records[place][slot - slots.lowerBound] = record
                        missing[place] -= 1
                    }
                }
            } else if !isPreloaded, !isPreloading {
                // One thread at a time, so that with two a patch that falls due need not wait for a file.
                isPreloading = true
                perform {
                    let isMore = try drawer.preload()
                    return { [self] in
                        isPreloading = false
                        isPreloaded = !isMore
                    }
                }
            } else {
                condition.wait()
            }
        }
        condition.unlock()
    }

    /// Called without the lock.
    private func advance() {
        condition.lock()
        advances += 1
        condition.broadcast()
        condition.unlock()
    }

    /// Runs `body` without the lock and what it returns with it.
    private func perform(_ body: () throws -> () -> Void) {
        busyThreads += 1
        condition.unlock()
        let result = Result { try body() }
        condition.lock()
        busyThreads -= 1
        switch result {
        case .success(let publish): publish()
        case .failure(let error): failure = failure ?? error
        }
        condition.broadcast()
    }
}
