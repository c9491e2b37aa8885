import Engine

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Finds out what reads memory that was never written, and what writes memory that is not its own.
///
/// When a buffer's life begins, it is filled with NaN, and a pattern is laid behind it, which must be there
/// after each step as long as the buffer lives. A value that depends on what was never written is then no
/// number.
final class MemoryCheck {
    /// Floats of the pattern behind a buffer, at least.
    static let guardFloats = 64
    /// A number that no network arrives at.
    private static let pattern = Float(bitPattern: 0xdead_beef)

    private let planner: MemoryPlanner
    private let arena: FloatStorage
    private var begun: Set<ObjectIdentifier> = []
    /// The pattern as often as the longest guard has it.
    private let intact: [Float]

    /// - Parameter arena: Of the planner's buffers, which are bound to it.
    init(_ planner: MemoryPlanner, arena: FloatStorage) {
        precondition(planner.guardFloats > 0, "the planner leaves no room for guards")
        (self.planner, self.arena) = (planner, arena)
        let longest = planner.buffers.map { $0.count - $0.used }.max() ?? 0
        intact = Array(repeating: Self.pattern, count: max(longest, planner.guardFloats))
        front.update(repeating: Self.pattern)
    }

    /// Starts anew: no buffer lives.
    func begin() { begun = [] }

    /// To be called before a step that runs at `time`.
    func prepare(time: Int) {
        for buffer in planner.buffers where buffer.firstUse <= time && buffer.lastUse >= time {
            guard begun.insert(ObjectIdentifier(buffer)).inserted else { continue }
            UnsafeMutableBufferPointer(start: buffer.pointer, count: buffer.used).update(repeating: .nan)
            guardZone(of: buffer).update(repeating: Self.pattern)
        }
    }

    /// To be called after that step.
    /// - Throws: `EngineError.memoryOverwritten` with its name.
    func verify(time: Int, operation: String) throws(EngineError) {
        let living = planner.buffers.filter {
            $0.lastUse >= time && begun.contains(ObjectIdentifier($0))
        }
        for zone in [front] + living.map(guardZone) where !isIntact(zone) {
            throw .memoryOverwritten(operation: operation)
        }
    }

    private func isIntact(_ zone: UnsafeMutableBufferPointer<Float>) -> Bool {
        guard let start = zone.baseAddress else { return true }
        return memcmp(start, intact, zone.count * MemoryLayout<Float>.stride) == 0
    }

    private var front: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: arena.pointer, count: planner.guardFloats)
    }

    private func guardZone(of buffer: Buffer) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: buffer.pointer + buffer.used, count: buffer.count - buffer.used)
    }
}
