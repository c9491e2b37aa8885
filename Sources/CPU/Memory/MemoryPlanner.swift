import Engine

/// A run of floats in the plan's arena, alive for an interval of steps. Buffers whose intervals do not meet
/// share room.
final class Buffer {
    /// Floats of its room in the arena.
    let count: Int
    /// Floats that were asked for, from the start of its room on.
    let used: Int
    fileprivate(set) var firstUse: Int
    fileprivate(set) var lastUse: Int
    fileprivate(set) var offset = 0
    fileprivate(set) var arena: FloatStorage?

    fileprivate init(count: Int, used: Int, at step: Int) {
        (self.count, self.used, firstUse, lastUse) = (count, used, step, step)
    }

    /// Says that the buffer is read or written at `step`.
    func touch(_ step: Int) {
        firstUse = min(firstUse, step)
        lastUse = max(lastUse, step)
    }

    func overlaps(_ other: Buffer) -> Bool { firstUse <= other.lastUse && other.firstUse <= lastUse }
}

/// Lays buffers out in one arena by liveness: the largest first, each at the lowest offset that is free all
/// its life.
final class MemoryPlanner {
    /// A page: neighbours do not share cache lines, and vector loads are aligned.
    private static let alignment = 1024

    private(set) var buffers: [Buffer] = []
    /// Floats behind each buffer, and before the first one, that are nobody's.
    let guardFloats: Int

    init(guardFloats: Int = 0) { self.guardFloats = guardFloats }

    func buffer(count: Int, at step: Int) -> Buffer {
        let buffer = Buffer(count: Self.aligned(count + guardFloats), used: count, at: step)
        buffers.append(buffer)
        return buffer
    }

    private static func aligned(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

    /// Gives each buffer its offset. Returns the floats of the arena.
    func layOut() -> Int {
        var placed: [Buffer] = []
        let start = Self.aligned(guardFloats)
        var total = start
        for buffer in buffers.sorted(by: { ($0.count, $1.firstUse) > ($1.count, $0.firstUse) }) {
            var offset = start
            for other in placed.filter({ $0.overlaps(buffer) }).sorted(by: { $0.offset < $1.offset }) {
                if other.offset - offset >= buffer.count { break }
                offset = max(offset, other.offset + other.count)
            }
            buffer.offset = offset
            total = max(total, offset + buffer.count)
            placed.append(buffer)
        }
        return total
    }

    func bind(to arena: FloatStorage) {
        for buffer in buffers { buffer.arena = arena }
    }
}

extension Tensor {
    var pointer: UnsafeMutablePointer<Float> { buffer.pointer + firstSlot * layout.floatsPerSlot }
}

extension Buffer {
    var pointer: UnsafeMutablePointer<Float> {
        guard let arena else { preconditionFailure("a buffer is used before memory is planned") }
        return arena.pointer + offset
    }
}
