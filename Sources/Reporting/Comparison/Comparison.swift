import Inference
import RunFiles

/// Runs that differ in network, patch, learning rate and loss, and what they are compared by.
public struct Comparison: Sendable {
    /// The runs, in the order in which they are shown.
    public let runs: [ComparedRun]
    /// How many of a run's last steps the median DSC is taken over.
    public let last: Int
    private let places: [Place: Int]

    private struct Place: Hashable {
        let network: String
        let patch: PatchSetting
        let learningRate: Double
        let loss: String
    }

    /// - Parameters:
    ///   - runs: in the order in which networks and losses are to be shown. Runs that differ in nothing of
    ///     what they are compared by are told apart by their folders' names, as losses of their own.
    ///   - last: at least 1; 200 in the paper.
    /// - Throws: ``ReportError/nothing``.
    public init(_ runs: [ComparedRun], last: Int = 200) throws(ReportError) {
        guard !runs.isEmpty else { throw .nothing }
        precondition(last >= 1, "the last \(last) steps")
        let counts = Dictionary(grouping: runs.map(Self.place), by: \.self).mapValues(\.count)
        self.runs = runs.map { run in
            guard counts[Self.place(run)] != 1 else { return run }
            return ComparedRun(
                name: run.name, network: run.network, patch: run.patch, learningRate: run.learningRate,
                loss: "\(run.loss) (\(run.name))", outcome: run.outcome)
        }
        self.last = last
        places = Dictionary(
            self.runs.enumerated().map { (Self.place($1), $0) }, uniquingKeysWith: { first, _ in first })
    }

    private static func place(_ run: ComparedRun) -> Place {
        Place(network: run.network, patch: run.patch, learningRate: run.learningRate, loss: run.loss)
    }

    /// Of how many steps at the end the values of the finished runs are, as the rest of "over the last": a
    /// run that has fewer than ``last`` gives all of its own.
    public var lastSteps: String {
        let used = runs.compactMap { $0.result?.records.steps.last.map { min($0, last) } }
        let least = used.min() ?? last
        let most = used.max() ?? last
        if least == most { return Quantity.lastSteps(least) }
        return
            "\(least) to \(Quantity.counted(most, "step")) (\(Quantity.counted(last, "step")), or all that a run has)"
    }

    // MARK: Axes

    /// In the order of their first run.
    public var networks: [String] { distinct(runs.map(\.network)) }

    /// In the order of their first run.
    public var losses: [String] { distinct(runs.map(\.loss)) }

    /// Networks by the dimensions of their patches: 2 or 3.
    func networks(dimensions: Int) -> [String] {
        networks.filter { network in
            runs.contains { $0.network == network && $0.patch.isFlat == (dimensions == 2) }
        }
    }

    /// Smallest effective patch first; slices only or volumes only where `dimensions` says so.
    func patches(of network: String, dimensions: Int? = nil) -> [PatchSetting] {
        distinct(runs.filter { $0.network == network }.map(\.patch))
            .filter { dimensions == nil || $0.isFlat == (dimensions == 2) }
            .sorted { ($0.effectiveEdge, -$0.batch) < ($1.effectiveEdge, -$1.batch) }
    }

    /// Ascending.
    func learningRates(of network: String? = nil) -> [Double] {
        distinct(runs.filter { network == nil || $0.network == network }.map(\.learningRate)).sorted()
    }

    func losses(of network: String) -> [String] {
        distinct(runs.filter { $0.network == network }.map(\.loss))
    }

    // MARK: Values

    func run(_ network: String, _ patch: PatchSetting, _ learningRate: Double, _ loss: String) -> ComparedRun?
    {
        places[Place(network: network, patch: patch, learningRate: learningRate, loss: loss)].map { runs[$0] }
    }

    /// DSC over the last steps; nil for a run that has not done all of them.
    public func dice(of run: ComparedRun) -> Quartiles? {
        run.result.flatMap { result in
            Quartiles(of: result.records.dice[result.records.last(last)])
        }
    }

    /// DSC of the held-out subjects of all runs for which `includes` holds, one loss at a time; no value is
    /// left out for a subject that several runs have scored.
    func heldOut(_ loss: String, where includes: (ComparedRun) -> Bool) -> [Double] {
        runs.filter { $0.loss == loss && includes($0) }
            .flatMap { $0.result?.heldOut?.scores.map(\.dice) ?? [] }
    }

    private func distinct<Element: Hashable>(_ elements: [Element]) -> [Element] {
        var seen: Set<Element> = []
        return elements.filter { seen.insert($0).inserted }
    }
}
