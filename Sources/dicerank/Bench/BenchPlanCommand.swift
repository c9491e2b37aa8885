import ArgumentParser
import Collectives
import Engine
import Foundation
import Host
import Inference
import Sampling
import Training

extension Dicerank.Bench {
    /// Shows where the time of a training step goes.
    struct PlanProfile: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "plan",
            abstract: "Show what a training step runs: algorithm, time and share of every operation.",
            discussion: """
                Data files are not read; patch, batch, network, loss and threads are the configuration's, on one \
                rank; accumulate is taken for 1, since all micro-batches of a step run the same operations. First \
                come the algorithms that each convolution was timed with, then the operations of a step with the \
                median of their times, then the shares of the kinds of work and the memory. GFLOP/s counts the \
                multiplications and additions of the convolution as it is written, over the whole patch: an \
                algorithm that needs fewer can go beyond the processor's peak.

                Example:
                  dicerank bench plan Configs/wmh_highres3dnet_paper.yaml --channels 3
                """)

        @OptionGroup var configuration: ConfigurationOptions

        @Option(help: ArgumentHelp("Input channels.", valueName: "N"))
        var channels = 3

        @Option(help: ArgumentHelp("Steps to time, after one that is not.", valueName: "N"))
        var steps = 5

        @OptionGroup var common: CommonOptions

        func validate() throws {
            guard (1...1024).contains(channels), (1...1000).contains(steps) else {
                throw ValidationError(
                    "Expected --channels from 1 to 1024 and --steps from 1 to 1000, found \(channels) and \(steps)."
                )
            }
        }

        func run() throws {
            var configuration = try self.configuration.read()
            configuration.accumulate = 1
            let alone = SoloCommunicator()
            let placement = try Placement.query(
                on: alone,
                threads: configuration.threads.map { .exactly($0) } ?? .automatic)
            let before = Machine.residentBytes
            let random = try RandomStep(
                configuration, channels: channels,
                device: try DeviceChoice.device(threads: placement.threads),
                communicator: alone)
            for line in PlanReport.algorithms(random.timings) { common.report.result(line) }
            _ = try random.seconds()
            var profile = StepProfile()
            for _ in 0..<steps { profile.add(try random.profile()) }
            common.report.result(
                "One step of patches of \(random.step.inputSize), batch \(configuration.batch), "
                    + "\(counted(placement.threads, "thread")), \(random.step.device.name):")
            for line in PlanReport.operations(profile) { common.report.result(line) }
            for line in PlanReport.kinds(profile) { common.report.result(line) }
            let activations = random.step.activationBytes
            let planned = activations + random.step.stateBytes
            common.report.result(
                "Memory: planned \(planned >> 20) MiB, of which \(activations >> 20) MiB are activations and "
                    + "scratch; measured \((Machine.peakBytes - before) >> 20) MiB over the \(before >> 20) MiB of the "
                    + "program")
        }
    }
}

/// Times of the operations of several steps.
struct StepProfile {
    private(set) var operations: [OperationReport] = []
    private var times: [[Double]] = []
    private var totals: [Double] = []

    mutating func add(_ step: (operations: [OperationReport], seconds: Double)) {
        if operations.isEmpty {
            operations = step.operations
            times = operations.map { _ in [] }
        }
        for (index, operation) in step.operations.enumerated() {
            times[index].append(operation.duration / .seconds(1))
        }
        totals.append(step.seconds)
    }

    /// The median of an operation's seconds.
    func seconds(_ index: Int) -> Double { Quartiles(of: times[index])?.median ?? 0 }

    /// The median of a whole step's seconds.
    var total: Double { Quartiles(of: totals)?.median ?? 0 }
}

/// The lines of `bench plan`.
enum PlanReport {
    static func algorithms(_ timings: [AlgorithmTiming]) -> [String] {
        guard !timings.isEmpty else { return [] }
        var lines = [
            "Algorithms, timed on one patch of at most 32 voxels an axis (forward + dW + dX, ms):"
        ]
        for timing in timings {
            let times = timing.candidates.map { candidate in
                let parts = [candidate.forward, candidate.weights, candidate.data]
                    .map { String(format: "%.1f", $0 / .milliseconds(1)) }
                return "\(candidate.algorithm) \(parts.joined(separator: " + "))"
            }
            lines.append(
                "  \(timing.choice): \(times.joined(separator: ", ")): \(timing.names.joined(separator: ", "))"
            )
        }
        return lines + [""]
    }

    static func operations(_ profile: StepProfile) -> [String] {
        var table = TextTable(
            headers: [["operation", "pass", "ms", "GFLOP/s", "share", "algorithm"]],
            alignments: [.left, .left, .right, .right, .right, .left])
        table.rows = profile.operations.enumerated().map { index, operation in
            let seconds = profile.seconds(index)
            let rate =
                operation.operations > 0
                ? String(format: "%.0f", Double(operation.operations) / seconds / 1e9) : ""
            return [
                operation.name, operation.pass.rawValue, String(format: "%.2f", seconds * 1e3), rate,
                String(format: "%.1f %%", 100 * seconds / profile.total), operation.algorithm,
            ]
        }
        return table.lines + [""]
    }

    static func kinds(_ profile: StepProfile) -> [String] {
        var table = TextTable(alignments: [.left])
        func add(_ name: String, _ seconds: Double) {
            table.rows.append([
                name, String(format: "%.2f ms", seconds * 1e3),
                String(format: "%.1f %%", 100 * seconds / profile.total),
            ])
        }
        var known = 0.0
        for kind in OperationKind.allCases {
            let seconds = profile.operations.indices.filter { profile.operations[$0].kind == kind }
                .reduce(0.0) { $0 + profile.seconds($1) }
            known += seconds
            add(kind.rawValue, seconds)
        }
        add("the rest (loss sums, optimiser)", max(0, profile.total - known))
        add("the step", profile.total)
        return table.lines
    }
}
