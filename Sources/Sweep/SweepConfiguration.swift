import Configuration
import Sampling

/// Runs of several networks at several patch sizes, with several learning rates and losses: every combination
/// is a ``SweepCell``.
///
/// ```yaml
/// ranks_per_run: all
/// run: {steps: 1000, data: {list: subjects.csv, held_out: 0.2}}
/// networks:
///   highres3dnet: {patches: [{size: 51, batch: 5}, {size: 85, batch: 1}], set: {network.widths: [8, 16,
///   32]}} deepmedic: {patches: [{size: 51, batch: 5}]}
/// learning_rates: [1.0e-3, 1.0e-4]
/// losses: [wce, gdl, {label: gdl+wce, name: gdl, set: {loss.add: {wce: 0.5}}}]
/// ```
///
/// A key of `networks` is a network, or a label of its own for the network that `name` gives. `set` holds
/// keys of the run with dots, which replace those of `run`; a loss's replace a network's. `run` is a run's
/// configuration without the keys that the sweep varies: `patch.size`, `batch`, `network.name`, `loss.name`,
/// `optimizer.learning_rate`.
public struct SweepConfiguration: Sendable {
    /// Ranks that train a cell together, 1 to 65,536; nil (`all`, the default): all, one cell after the
    /// other. Else groups of so many ranks train several cells at a time.
    public var ranksPerRun: Int?
    /// Steps at the end of a run that the tables take the median over; 1 to 1,000,000,000, default 200.
    public var last = 200
    public var figure = Figure()
    /// Network by network, patch by patch, learning rate by learning rate, loss by loss.
    public internal(set) var cells: [SweepCell] = []

    /// The cells that the figure of slices shows (`figure`).
    public struct Figure: Sendable, Equatable {
        /// A held-out subject; nil (`null`, the default): that with the median foreground volume.
        public var subject: String?
        /// A key of `networks`; nil (`null`, the default): the first that takes volumes.
        public var network: String?
        /// Edge of one of its patches, of the longest axis; nil (`auto`, the default): the largest.
        public var patch: Int?
        /// One of `learning_rates`; nil (`auto`, the default): the middle one, of an even number the lower.
        public var learningRate: Double?
    }

    /// Reads a file, then applies the options, then checks all cells' configurations.
    /// - Parameters:
    ///   - path: a YAML file. Relative paths in it start at its folder.
    ///   - overrides: `key.sub=value` of the sweep's keys, such as `run.steps=100`. Relative paths start at
    ///     the current folder.
    ///   - warn: is given a sentence for each key that is read but has no effect any more.
    /// - Throws: ``ConfigurationError`` naming file and line or option, key, what was found and expected.
    public init(
        contentsOf path: String, overrides: [String] = [], warn: (String) -> Void = { _ in }
    ) throws(ConfigurationError) {
        let (text, folder) = try RunConfiguration.read(path)
        try self.init(yaml: text, name: path, folder: folder, overrides: overrides, warn: warn)
    }

    /// - Parameters:
    ///   - yaml: one YAML document.
    ///   - name: what messages call it.
    ///   - folder: where relative paths start; nil leaves them as they are.
    ///   - overrides: as in ``init(contentsOf:overrides:warn:)``, and `warn` too.
    public init(
        yaml: String, name: String = "sweep", folder: String? = nil, overrides: [String] = [],
        warn: (String) -> Void = { _ in }
    ) throws(ConfigurationError) {
        var root = try ConfigurationNode(yaml: yaml, name: name)
        for option in overrides { try root.override(option) }
        root.origin = name
        try read(root, folder: folder, warn: warn)
    }

    /// The number of ranks of a group.
    /// - Parameter ranks: of the job.
    /// - Throws: ``SweepError/groups(ranks:ranksPerRun:)`` where they cannot all be used.
    public func groupSize(of ranks: Int) throws(SweepError) -> Int {
        let size = ranksPerRun ?? ranks
        guard ranks % size == 0 else { throw .groups(ranks: ranks, ranksPerRun: size) }
        return size
    }
}

/// What is wrong with a sweep beside its configuration file. Each is one sentence.
public enum SweepError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A cell that could not be trained.
    case cell(String, reason: String)
    /// Ranks that cannot be divided into groups.
    case groups(ranks: Int, ranksPerRun: Int)
    /// A cell's folder holds a run of something else.
    case otherRun(folder: String, key: String, found: String, expected: String)

    public var description: String {
        switch self {
        case .cell(let name, let reason):
            return "The cell \(name) cannot be run: \(reason)"
        case .groups(let ranks, let ranksPerRun):
            let divisors = (1...ranks).filter { ranks % $0 == 0 }.map(String.init)
            return "\(counted(ranks, "rank")) cannot be divided into groups of \(ranksPerRun) "
                + "(ranks_per_run); groups can have \(divisors.joined(separator: ", "))."
        case .otherRun(let folder, let key, let found, let expected):
            return
                "'\(folder)' holds a run whose \(key) is \(found), and the sweep has \(expected) there: choose "
                + "another --output, or change the sweep back."
        }
    }
}
