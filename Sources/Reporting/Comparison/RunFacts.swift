import RunFiles

/// What the runs of a comparison say about themselves together.
enum RunFacts {
    static func make(_ comparison: Comparison) -> [RunReport.Fact] {
        let records = comparison.runs.compactMap(\.record)
        let summaries = records.compactMap(\.summary)
        var facts = [
            RunReport.Fact("Runs", counts(comparison)),
            RunReport.Fact("Networks", Display.list(comparison.networks.map(Display.network))),
            RunReport.Fact("Losses", Display.list(comparison.losses.map(Display.loss))),
            RunReport.Fact(
                "Learning rates", Display.list(comparison.learningRates().map(Display.learningRate))),
        ]
        let steps = distinct(records.map { "\($0.configuration.steps)" })
        if !steps.isEmpty { facts.append(RunReport.Fact("Steps a run", Display.list(steps))) }
        if !summaries.isEmpty {
            let seconds = summaries.reduce(0) { $0 + $1.seconds }
            facts.append(RunReport.Fact("Time in training steps", Quantity.duration(seconds)))
            let places = distinct(
                summaries.map {
                    "\(Quantity.counted($0.ranks, "rank")) with \(Quantity.counted($0.threads, "thread")) each"
                })
            facts.append(RunReport.Fact("Ran on", Display.list(places)))
            let versions = distinct(
                summaries.flatMap { $0.versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" } })
            facts.append(RunReport.Fact("Versions", versions.joined(separator: ", ")))
        }
        return facts
    }

    private static func counts(_ comparison: Comparison) -> String {
        var counts = (finished: 0, unfinished: 0, failed: 0, notRun: 0)
        for run in comparison.runs {
            switch run.outcome {
            case .finished: counts.finished += 1
            case .unfinished: counts.unfinished += 1
            case .failed: counts.failed += 1
            case .notRun: counts.notRun += 1
            }
        }
        let others = [
            (counts.unfinished, "unfinished"), (counts.failed, "failed"), (counts.notRun, "not run"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return (["\(counts.finished) of \(comparison.runs.count) finished"] + others).joined(separator: ", ")
    }

    /// The keys that are the same in all runs, as a configuration has them.
    static func commonConfiguration(_ comparison: Comparison) -> [(key: String, text: String)] {
        let all = comparison.runs.compactMap(\.record?.configuration.values)
        guard let first = all.first else { return [] }
        let others = all.dropFirst().map { Dictionary($0.map { ($0.key, $0.text) }) { $1 } }
        return first.filter { value in others.allSatisfy { $0[value.key] == value.text } }
    }

    private static func distinct(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }
    }
}
