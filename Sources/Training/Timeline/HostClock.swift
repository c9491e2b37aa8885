import Glibc

/// The engine's clock in nanoseconds since a moment that all processes of a host share.
struct HostClock {
    private let instant: ContinuousClock.Instant
    private let nanoseconds: Int64

    /// - Parameter nanoseconds: of the shared clock at `instant`.
    init(instant: ContinuousClock.Instant, nanoseconds: Int64) {
        (self.instant, self.nanoseconds) = (instant, nanoseconds)
    }

    /// Reads both clocks some times: between two readings the process may be kept from running.
    init() {
        let readings = (0..<20).map { _ in
            (before: Self.monotonic(), instant: ContinuousClock.now, after: Self.monotonic())
        }
        let fastest = readings.min { $0.after - $0.before < $1.after - $1.before } ?? readings[0]
        self.init(
            instant: fastest.instant, nanoseconds: fastest.before + (fastest.after - fastest.before) / 2)
    }

    func callAsFunction(_ instant: ContinuousClock.Instant) -> Int64 {
        nanoseconds + (instant - self.instant).nanoseconds
    }

    private static func monotonic() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension Duration {
    /// Rounded down.
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
