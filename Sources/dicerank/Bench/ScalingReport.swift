import Collectives
import Engine
import Foundation
import Sampling

/// The text of `bench scaling`.
enum ScalingReport {
    static func lines(_ measurement: ScalingMeasurement, _ forecasts: [ScalingForecast]) -> [String] {
        var lines = work(measurement)
        if let timings = measurement.timings {
            let fits = Fits(timings, ranks: measurement.ranks)
            lines += [""] + links(timings, fits, ranks: measurement.ranks) + [""] + groups(measurement, fits)
        } else {
            lines.append(
                "  With one rank there is no link to measure, and no step to compare the forecast with.")
        }
        let weak = forecasts.filter { $0.kind == .weak }
        let strong = forecasts.filter { $0.kind == .strong }
        lines += ["", "Forecast, weak scaling: \(patches(measurement.slots)) a rank"] + table(weak)
        if let batch = strong.first?.batch {
            lines += ["", "Forecast, strong scaling: a batch of \(batch)"] + table(strong)
        }
        return lines
    }

    // MARK: Measured

    private static func work(_ measurement: ScalingMeasurement) -> [String] {
        let (work, profile) = (measurement.work.many, measurement.work.many.profile)
        let bytes = work.exchanges.reduce(0, +)
        return [
            "Measured on \(measurement.ranks == 1 ? "one rank" : "\(measurement.ranks) ranks at once"), "
                + "\(counted(measurement.threads, "thread")) each:",
            "  computation of a step   \(milliseconds(work.computeSeconds)) ms with "
                + patches(measurement.slots) + " a rank, "
                + "\(milliseconds(measurement.work.one.computeSeconds)) ms with one",
            "  gradients               \(measurement.parameters) values, \(mebibytes(profile.bytes)) MiB; the first "
                + "are final \(milliseconds(profile.endSeconds)) ms before backward ends, half of them "
                + "\(milliseconds(profile.endSeconds - profile.readySeconds(bytes: profile.bytes / 2))) ms",
            "  small exchanges         \(work.exchanges.count) a step, in which a rank gives \(bytes) bytes in all",
        ]
    }

    /// What the links' lines are.
    private struct Fits {
        let next: LinkFit, allReduce: LinkFit
        /// Of messages to the next rank, for small exchanges.
        let exchangeLink: Link
        /// Of the all-reduce taken for a ring, for reductions.
        let reductionLink: Link

        init(_ timings: LinkTimings, ranks: Int) {
            (next, allReduce) = (LinkFit(timings.next), LinkFit(timings.allReduce))
            exchangeLink = next.link
            reductionLink = allReduce.link(reducingBy: .ring, ranks: ranks)
        }
    }

    private static func links(_ timings: LinkTimings, _ fits: Fits, ranks: Int) -> [String] {
        var table = TextTable(headers: [
            ["", "to the next rank", "", "", "all-reduce", "", ""],
            ["bytes", "measured us", "line us", "difference", "measured us", "line us", "difference"],
        ])
        for (next, sum) in zip(timings.next.points, timings.allReduce.points) {
            let (line, other) = (
                fits.next.seconds(bytes: next.bytes), fits.allReduce.seconds(bytes: sum.bytes)
            )
            table.rows.append([
                "\(next.bytes)", microseconds(next.seconds), microseconds(line),
                percent(line / next.seconds - 1), microseconds(sum.seconds), microseconds(other),
                percent(other / sum.seconds - 1),
            ])
        }
        return ["Links of these \(ranks) ranks:"] + table.lines.map { "  " + $0 } + [
            "  to the next rank: \(text(fits.exchangeLink)), root mean square error "
                + percent(fits.next.relativeError, signed: false),
            "  all-reduce taken for a ring: \(text(fits.reductionLink)), root mean square error "
                + percent(fits.allReduce.relativeError, signed: false),
        ]
    }

    /// Steps as measured, and as the model has them from the measured links.
    private static func groups(_ measurement: ScalingMeasurement, _ fits: Fits) -> [String] {
        var table = TextTable(headers: [
            [
                "ranks", "batch", "bucket MiB", "exposed ms", "exchanges ms", "predicted ms", "measured ms",
                "difference",
            ]
        ])
        for group in measurement.groups {
            let predicted = measurement.work.many.withAgreement.forecast(
                ranks: group.ranks, link: fits.exchangeLink, algorithm: .ring,
                cost: .modelled(.ring, ranks: group.ranks, fits.reductionLink),
                bucketBytes: group.bucketBytes)
            table.rows.append([
                "\(group.ranks)", "\(group.ranks * measurement.slots)", mebibytes(group.bucketBytes),
                milliseconds(predicted.exposedSeconds), milliseconds(predicted.exchangeSeconds),
                milliseconds(predicted.stepSeconds), milliseconds(group.seconds),
                percent(predicted.stepSeconds / group.seconds - 1),
            ])
        }
        return [
            "Steps on these ranks, \(patches(measurement.slots)) a rank, from these links and as measured:"
        ]
            + table.lines.map { "  " + $0 }
    }

    // MARK: Forecast

    private static func table(_ forecasts: [ScalingForecast]) -> [String] {
        let algorithms = ReductionAlgorithm.allCases
        var table = TextTable(headers: [
            ["", "latency", "", "", "exchanges"]
                + algorithms.flatMap { ["\($0.rawValue):", "exposed", "step", "efficiency"] },
            ["Gbit/s", "us", "ranks", "batch", "ms"]
                + algorithms.flatMap { _ in ["bucket MiB", "ms", "ms", "%"] },
        ])
        for forecast in forecasts {
            let exchanges = forecast.steps.first?.step.exchangeSeconds ?? 0
            table.rows.append(
                [
                    Self.number(forecast.link.gigabitsPerSecond),
                    Self.number(forecast.link.latencyMicroseconds), "\(forecast.ranks)",
                    "\(forecast.batch)", milliseconds(exchanges),
                ]
                    + forecast.steps.flatMap { _, step in
                        [
                            mebibytes(step.bucketBytes), milliseconds(step.exposedSeconds),
                            milliseconds(step.stepSeconds),
                            String(format: "%.1f", 100 * forecast.efficiency(step)),
                        ]
                    })
        }
        return table.lines.map { "  " + $0 }
    }

    private static let columns = [
        "scaling", "gigabits_per_second", "latency_us", "ranks", "batch", "algorithm", "bucket_mib",
        "compute_seconds", "exposed_seconds", "exchange_seconds", "step_seconds", "efficiency",
    ]

    /// A row a link, number of ranks and algorithm.
    static func csv(_ forecasts: [ScalingForecast]) -> String {
        CSVTable.text(
            [columns]
                + forecasts.flatMap { forecast in
                    forecast.steps.map { algorithm, step in
                        [
                            forecast.kind.rawValue, number(forecast.link.gigabitsPerSecond),
                            number(forecast.link.latencyMicroseconds), "\(forecast.ranks)",
                            "\(forecast.batch)", algorithm.rawValue,
                            "\(Double(step.bucketBytes) / 1_048_576)", "\(step.computeSeconds)",
                            "\(step.exposedSeconds)", "\(step.exchangeSeconds)", "\(step.stepSeconds)",
                            "\(forecast.efficiency(step))",
                        ]
                    }
                })
    }

    // MARK: Numbers

    private static func patches(_ count: Int) -> String { counted(count, "patch", plural: "patches") }

    private static func milliseconds(_ seconds: Double) -> String {
        String(format: seconds < 0.1 ? "%.2f" : "%.1f", seconds * 1e3)
    }

    private static func microseconds(_ seconds: Double) -> String { String(format: "%.1f", seconds * 1e6) }

    private static func mebibytes(_ bytes: Int) -> String {
        String(format: "%.4g", Double(bytes) / 1_048_576)
    }

    private static func percent(_ share: Double, signed: Bool = true) -> String {
        String(format: signed ? "%+.1f %%" : "%.1f %%", 100 * share)
    }

    private static func number(_ value: Double) -> String { String(format: "%g", value) }

    private static func text(_ link: Link) -> String {
        String(
            format: "latency %.2f us, %.2f Gbit/s", link.latencySeconds * 1e6, link.bytesPerSecond * 8e-9)
    }
}
