import CPU
import Configuration
import Engine
import Foundation
import Testing
import Training

extension RankTests {
    @Suite("train --timeline")
    struct Timelines {
        /// Nine of them hold the gradients.
        private static let bucketMiB = 0.38

        @Test("A row a rank, every convolution of every step, and rows that line up")
        func isComplete() async throws {
            let small = try await SmallRun(steps: 4, changes: ["checkpoint": "{every: 2, keep: 100}"])
            let outcome = try await small.train(
                ranks: 2,
                options: ["--timeline", "trace.json", "--set", "distributed.bucket_mib=\(Self.bucketMiB)"])
            try #require(outcome.exitCode == 0, "\(outcome)")
            let trace = try Trace(small.workspace.path("trace.json"))
            let host = ProcessInfo.processInfo.hostName
            #expect(trace.names.keys.sorted() == [0, 1])
            for rank in 0..<2 {
                #expect(trace.names[rank]?.hasPrefix("rank \(rank) on \(host.prefix(1))") == true)
                try expectWhole(trace.ranks[rank], rank: rank, small)
            }
            try expectAligned(trace)
        }

        private func expectWhole(_ rows: [Int: [Trace.Span]], rank: Int, _ small: SmallRun) throws {
            for (row, spans) in rows {
                for (one, next) in zip(spans, spans.dropFirst()) {
                    #expect(one.end <= next.begin, "row \(row): \(one) and \(next)")
                }
            }
            let steps = try #require(rows[1])
            #expect(steps.map(\.name) == (1...4).map { "step \($0)" })
            let configuration = try RunConfiguration(contentsOf: small.workspace.path("run/config.yaml"))
            let plan = try makePlan(configuration)
            let convolutions = plan.summary.split(separator: "\n").map { $0.split(separator: ": ") }
            #expect(convolutions.count == 21)
            for step in steps {
                let spans = rows.mapValues { $0.filter { $0.begin >= step.begin && $0.end <= step.end } }
                let operations = try #require(spans[2])
                let forward = operations.filter { $0.category == "forward" }
                let backward = operations.filter { $0.category == "backward" }
                for (index, words) in convolutions.enumerated() {
                    let (name, algorithm) = (words[0], words[1])
                    let own = forward.filter { $0.name == name }
                    #expect(own.map(\.algorithm) == [String(algorithm)], "\(name) in \(step)")
                    #expect(backward.count { $0.name == "\(name) dW" } == 1, "\(name) dW in \(step)")
                    // Nobody asks for the gradient of the patch.
                    #expect(
                        backward.count { $0.name == "\(name) dX" } == (index == 0 ? 0 : 1),
                        "\(name) dX in \(step)")
                }
                #expect(operations.count { $0.name == "optimiser" } == 1)
                #expect(spans[4]?.map(\.name) == ["waiting for patches"])

                let buckets = spans.filter { $0.key >= 5 }.values.joined().sorted { $0.begin < $1.begin }
                #expect(buckets.count >= 8)
                #expect(buckets.reduce(0) { $0 + ($1.bytes ?? 0) } == 4 * plan.model.gradients.count)
                let (first, last) = try (#require(backward.first), #require(backward.last))
                #expect(buckets.allSatisfy { $0.begin >= first.begin })
                let check = try #require(operations.first { $0.name == "checking gradients" })
                #expect(buckets.allSatisfy { $0.begin < check.begin && $0.end <= check.begin })
                // The gradients that come last share at most two buckets.
                #expect(buckets.dropLast(2).allSatisfy { $0.begin < last.begin })
            }
            let saved = rows[2]?.count { $0.name == "writing a checkpoint" }
            #expect(saved == (rank == 0 ? 2 : 0))
        }

        /// The plan of a rank: half of the two slots.
        private func makePlan(_ configuration: RunConfiguration) throws -> Plan {
            let task = try TrainingTask(configuration)
            return try Plan(
                training: task.graph, inputSize: task.patchSize,
                options: StepOptions(slots: 1), algorithms: AlgorithmChoice(.winograd), loss: task.loss,
                on: CPUDevice(threads: 1))
        }

        /// No rank leaves an all-reduce before the other has entered it: clocks that are not aligned would
        /// break this.
        /// - Parameter error: nanoseconds.
        private func expectAligned(_ trace: Trace, within error: Int = 1000) throws {
            let calls = try trace.ranks.map { rows in
                try #require(rows[3]).filter { $0.name == "MPI_Allreduce" || $0.name == "MPI_Allgather" }
            }
            #expect(calls[0].count > 40)
            #expect(calls[0].map(\.name) == calls[1].map(\.name))
            for (one, other) in zip(calls[0], calls[1]) {
                #expect(one.bytes == other.bytes)
                let latest = min(one.end, other.end) + error
                #expect(max(one.begin, other.begin) <= latest, "\(one) and \(other)")
            }
        }

        /// Rank 1 in namespaces of its own, as on a host with another name that was started earlier.
        private static let otherHost = """
            if [ "$OMPI_COMM_WORLD_RANK" = 0 ]; then exec "$@"; fi
            exec unshare --uts --time --fork --kill-child --monotonic 3600 --boottime 3600 \
                bash -c 'hostname elsewhere && exec "$@"' bash "$@"
            """
        private static let hasNamespaces: Bool = {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["unshare", "--uts", "--time", "--fork", "--monotonic", "3600", "true"]
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }()

        @Test(
            "Clocks that are an hour apart are aligned",
            .enabled(if: hasNamespaces, "needs root and Linux 5.6"))
        func clocksApart() async throws {
            let small = try await SmallRun()
            var launcher = small.launcher(ranks: 2)
            launcher.wrapper = ["bash", "-c", Self.otherHost, "bash"]
            let outcome = try await launcher.run(
                ["train", "run.yaml", "--output", "run", "--timeline", "trace.json"])
            try #require(outcome.exitCode == 0, "\(outcome)")
            let said = /chrome:\/\/tracing; clocks of other hosts are aligned within ([0-9]+) us/
            let microseconds = try #require(outcome.standardError.firstMatch(of: said)?.1)
            let error = try #require(Int(microseconds))
            #expect(error < 100_000)
            let trace = try Trace(small.workspace.path("trace.json"))
            #expect(trace.names[1] == "rank 1 on elsewhere")
            try expectAligned(trace, within: 1000 * error)
        }

        @Test("A run that is told to stop is drawn up to there")
        func stoppedRun() async throws {
            let small = try await SmallRun(steps: 100_000)
            let run = try small.launcher(ranks: 2).start(
                ["train", "run.yaml", "--output", "run", "--timeline", "trace.json"])
            let begun = try await run.wait {
                ((try? small.workspace.read("run/metrics.csv")) ?? "").split(separator: "\n").count > 3
            }
            try #require(begun)
            run.signalRanks(SIGTERM)
            let outcome = try await run.outcome()
            try #require(outcome.exitCode == 143, "\(outcome)")
            let steps = try small.metric("loss").count
            let trace = try Trace(small.workspace.path("trace.json"))
            for rank in 0..<2 { #expect(trace.ranks[rank][1]?.count == steps) }
            #expect(
                outcome.standardError.contains("The timeline of \(steps) steps on 2 ranks is in 'trace.json'")
            )
            #expect(outcome.standardError.contains("The median step took "))
        }

        /// On rank 0 and 1 together, whichever of them owns the subject.
        @Test("A run that fails is drawn up to there, and says why it failed")
        func failedRun() async throws {
            let small = try await SmallRun()
            try small.spoil("data/phantom-002/flair.nii.gz")
            expectRefusal(
                try await small.train(ranks: 2, options: ["--timeline", "trace.json"]),
                mentions: ["phantom-002/flair.nii.gz"])
            let trace = try Trace(small.workspace.path("trace.json"))
            for rank in 0..<2 {
                #expect(trace.ranks[rank][4]?.contains { $0.name == "waiting for patches" } == true)
            }
        }

        @Test("A file that cannot be written any more does not cost the run")
        func lostFolder() async throws {
            let small = try await SmallRun(steps: 100_000)
            try FileManager.default.createDirectory(
                atPath: small.workspace.path("gone"), withIntermediateDirectories: false)
            let run = try small.launcher(ranks: 2).start(
                ["train", "run.yaml", "--output", "run", "--quiet", "--timeline", "gone/trace.json"])
            let begun = try await run.wait { ((try? small.metric("loss")) ?? []).count >= 2 }
            try #require(begun)
            try FileManager.default.removeItem(atPath: small.workspace.path("gone"))
            run.signalRanks(SIGTERM)
            let outcome = try await run.outcome()
            #expect(outcome.exitCodes == [143, 143], "\(outcome)")
            #expect(small.workspace.exists("run/latest"))
            #expect(
                outcome.standardError.contains(
                    "warning: 'gone/trace.json' could not be written: No such file or directory."))
        }

        @Test("A file that cannot be written is one sentence, before the first step")
        func refusal() async throws {
            let small = try await SmallRun()
            for ranks in [nil, 2] {
                expectRefusal(
                    try await small.train(ranks: ranks, options: ["--timeline", "none/trace.json"]),
                    mentions: ["'none/trace.json' could not be written: No such file or directory."])
            }
            #expect(!small.workspace.exists("run/metrics.csv"))
        }
    }
}

/// A trace as viewers read it.
struct Trace {
    struct Span {
        var name = "", category = "", algorithm = ""
        /// Nanoseconds.
        var begin: Int, end: Int
        var bytes: Int?
    }

    /// Titles of the processes.
    private(set) var names: [Int: String] = [:]
    /// By rank and row, by time.
    private(set) var ranks: [[Int: [Span]]] = []

    init(_ path: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        for event in try #require(document["traceEvents"] as? [[String: Any]]) {
            let rank = try #require(event["pid"] as? Int)
            while ranks.count <= rank { ranks.append([:]) }
            let name = try #require(event["name"] as? String)
            let details = event["args"] as? [String: Any] ?? [:]
            guard event["ph"] as? String == "X" else {
                if name == "process_name" { names[rank] = details["name"] as? String }
                continue
            }
            let begin = try Self.nanoseconds(event["ts"])
            let span = Span(
                name: name, category: event["cat"] as? String ?? "",
                algorithm: details["algorithm"] as? String ?? "", begin: begin,
                end: begin + (try Self.nanoseconds(event["dur"])), bytes: details["bytes"] as? Int)
            ranks[rank][try #require(event["tid"] as? Int), default: []].append(span)
        }
        for rank in ranks.indices {
            ranks[rank] = ranks[rank].mapValues { $0.sorted { $0.begin < $1.begin } }
        }
    }

    private static func nanoseconds(_ microseconds: Any?) throws -> Int {
        Int((try #require(microseconds as? Double) * 1000).rounded())
    }
}
