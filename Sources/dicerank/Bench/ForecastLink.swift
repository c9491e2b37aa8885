import ArgumentParser
import Collectives

/// A link between machines, as `bench scaling` forecasts for it: `25` or, with its latency, `25:1.5`.
struct ForecastLink: ExpressibleByArgument, Equatable {
    let gigabitsPerSecond: Double
    /// Of one message.
    let latencyMicroseconds: Double

    init(gigabitsPerSecond: Double, latencyMicroseconds: Double? = nil) {
        self.gigabitsPerSecond = gigabitsPerSecond
        self.latencyMicroseconds = latencyMicroseconds ?? Self.usualLatency(gigabitsPerSecond)
    }

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
        guard parts.count <= 2, let speed = parts[0], (0.001...100_000).contains(speed) else { return nil }
        if parts.count == 2 {
            guard let latency = parts[1], (0...1_000_000).contains(latency) else { return nil }
            self.init(gigabitsPerSecond: speed, latencyMicroseconds: latency)
        } else {
            self.init(gigabitsPerSecond: speed)
        }
    }

    static let all = [1, 10, 25, 100, 200].map { ForecastLink(gigabitsPerSecond: $0) }

    /// Microseconds. Up to 10 Gbit/s MPI mostly speaks TCP over Ethernet, beyond it InfiniBand or RoCE
    /// without the kernel. OSU's `osu_latency` publishes 25 microseconds for 1 to 128 bytes in the first
    /// case, and 0.9 to 1.5 in the second; the defaults add a switch or two.
    private static func usualLatency(_ gigabitsPerSecond: Double) -> Double {
        gigabitsPerSecond <= 10 ? 30 : 2
    }

    var link: Link {
        Link(latencySeconds: latencyMicroseconds * 1e-6, bytesPerSecond: gigabitsPerSecond * 1e9 / 8)
    }
}
