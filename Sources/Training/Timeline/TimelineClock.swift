import Collectives

/// Turns the times of this rank into times of rank 0, whose drawing begins at 0.
///
/// Clocks of hosts drift apart by a microsecond or more a second, so that they are compared when the
/// recording starts and when it ends; between the two the offset is taken to grow evenly.
struct TimelineClock: Equatable {
    /// How far a clock is ahead of rank 0's at a time of its own, in nanoseconds.
    struct Offset: Equatable {
        let time: Int64
        let offset: Int64
    }

    /// The zero of the drawing by rank 0's clock.
    let zero: Int64
    let start: Offset
    let end: Offset

    /// Nanoseconds since the zero of the drawing.
    func time(_ own: Int64) -> Int64 {
        let elapsed = Double(own - start.time) / Double(max(end.time - start.time, 1))
        let drift = Double(end.offset - start.offset) * elapsed
        return own - start.offset - Int64(drift.rounded()) - zero
    }
}

/// What is known of the clocks when the recording starts.
struct TimelineStart {
    let zero: Int64
    let offset: TimelineClock.Offset
    /// By how many nanoseconds an offset of any rank may be wrong.
    let error: Int64

    /// Compares the clocks. Collective.
    init(on communicator: any Communicator, now: () -> Int64) throws {
        var zero = [now()]
        let offsets = try ClockOffsets.measure(on: communicator, now: now)
        try communicator.broadcast(&zero, from: 0)
        self.zero = zero[0]
        error = offsets.errors.max() ?? 0
        offset = .init(time: now(), offset: offsets.nanoseconds[communicator.rank])
    }

    /// Compares the clocks again. Collective.
    /// - Returns: this rank's clock, and by how many nanoseconds a rank's may be wrong at the most.
    func end(
        on communicator: any Communicator, now: () -> Int64
    ) throws -> (clock: TimelineClock, error: Int64) {
        let offsets = try ClockOffsets.measure(on: communicator, now: now)
        let end = TimelineClock.Offset(time: now(), offset: offsets.nanoseconds[communicator.rank])
        return (TimelineClock(zero: zero, start: offset, end: end), max(error, offsets.errors.max() ?? 0))
    }
}
