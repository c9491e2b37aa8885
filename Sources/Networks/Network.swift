import Engine

/// A segmentation network: from a patch of `inputChannels` channels to the logits of `classes` classes.
/// An architecture is declared on the graph builder and holds no parameters.
public protocol Network: Sendable {
    /// As `network.name` of the configuration has it.
    static var name: String { get }
    /// Whether it takes slices: patches of depth 1.
    static var isPlanar: Bool { get }
    /// Images of a patch, one a modality: the input is [inputChannels][depth][height][width].
    var inputChannels: Int { get }
    /// Classes, background included: the output is [classes][depth][height][width], 2 `border` voxels shorter
    /// an axis.
    var classes: Int { get }
    /// Voxels on each side of each axis longer than 1 by which the effective patch of ``graph()``, on which
    /// the loss is taken, is smaller than its input.
    var border: Int { get }
    /// The smallest border that the architecture can leave: 0 where zero padding keeps the size.
    var smallestBorder: Int { get }
    /// The edges that a cubic (or square) training patch may have.
    var patchEdges: PatchEdges { get }
    /// The graph with the given border, at least ``smallestBorder``. Parameters and their names do not depend
    /// on the border: whole volumes are segmented with a smaller border than training has.
    func graph(border: Int) -> Graph
}

extension Network {
    public static var isPlanar: Bool { false }

    /// The graph of training, with its ``border``.
    public func graph() -> Graph { graph(border: border) }

    /// The effective edge of a training patch of `edge` voxels.
    /// - Throws: ``NetworkError/patchEdge(network:found:nearest:)``, with the nearest edges that fit.
    public func effectiveEdge(ofPatch edge: Int) throws(NetworkError) -> Int {
        guard patchEdges.contains(edge) else {
            throw .patchEdge(network: Self.name, found: edge, nearest: patchEdges.nearest(to: edge))
        }
        return edge - 2 * border
    }
}

/// The patch edges a network can take, in voxels: `smallest`, `smallest + step`, `smallest + 2 step`, …
public struct PatchEdges: Hashable, Sendable {
    /// Voxels of the smallest edge.
    public let smallest: Int
    /// Voxels from one edge that fits to the next.
    public let step: Int

    public init(smallest: Int, step: Int = 1) {
        precondition(smallest >= 1 && step >= 1, "patch edges from \(smallest) in steps of \(step)")
        self.smallest = smallest
        self.step = step
    }

    /// Whether a patch may have edges of so many voxels.
    public func contains(_ edge: Int) -> Bool {
        edge >= smallest && (edge - smallest) % step == 0
    }

    /// The edge itself if it fits, otherwise the ones next to it, ascending: two, or the smallest alone.
    public func nearest(to edge: Int) -> [Int] {
        guard edge > smallest else { return [smallest] }
        let below = edge - (edge - smallest) % step
        return below == edge ? [edge] : [below, below + step]
    }
}

/// What is wrong with the description of a network. Each is one sentence.
public enum NetworkError: Error, Equatable, CustomStringConvertible {
    case unknownName(String, known: [String])
    case option(network: String, key: String, found: String, expected: String)
    case patchEdge(network: String, found: Int, nearest: [Int])

    public var description: String {
        switch self {
        case .unknownName(let name, let known):
            return "There is no network \"\(name)\"; known are \(known.joined(separator: ", "))."
        case .option(let network, let key, let found, let expected):
            return "The network \(network) was given \(found) for \(key), but it takes \(expected)."
        case .patchEdge(let network, let found, let nearest):
            let fitting = nearest.map(String.init).joined(separator: " and ")
            let verb = nearest.count == 1 ? "is" : "are"
            return "The network \(network) cannot take a patch of \(found) voxels an axis; "
                + "the nearest that it can \(verb) \(fitting)."
        }
    }
}
