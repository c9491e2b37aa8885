import Engine
import Geometry

/// What a network takes and yields, asked of its graph: nothing about an architecture is typed in.
struct NetworkGeometry {
    let graph: Graph
    let volume: Size3
    /// Voxels lost on each side of each axis.
    let border: Size3
    /// A window that the network takes, small but not mostly border.
    let probe: Size3

    /// Searches upwards for cubic windows that the network takes. Axes of one voxel stay one voxel long: the
    /// network takes no border from them.
    init(graph: Graph, volume: Size3) throws {
        func window(_ length: Int) -> Size3 {
            Size3 { volume[$0] == 1 ? 1 : length }
        }
        func yield(_ size: Size3) -> Size3? { try? graph.outputSize(inputSize: size) }
        guard let smallest = (2...512).lazy.map(window).first(where: { yield($0) != nil }),
            let output = yield(smallest)
        else { throw InferenceError.noWindow(volume: volume) }
        border = Size3 { (smallest[$0] - output[$0]) / 2 }
        let useful = 32 + 2 * max(border.depth, border.height, border.width)
        probe = (useful...useful + 16).lazy.map(window).first { yield($0) != nil } ?? smallest
        self.graph = graph
        self.volume = volume
    }

    func accepts(_ window: Size3) -> Bool {
        (try? graph.outputSize(inputSize: window)) == effective(window)
    }

    /// Whether a window may be this long along this axis (0 is depth); axes do not depend on each other.
    func accepts(axis: Int, length: Int) -> Bool {
        accepts(Size3 { $0 == axis ? length : probe[$0] })
    }

    func effective(_ window: Size3) -> Size3 {
        Size3 { window[$0] - 2 * border[$0] }
    }

    /// The whole volume in as few voxels as the network allows, whatever memory that takes.
    var smallestLayout: WindowLayout {
        WindowLayout.choose(
            volume: volume, border: border, maximumWindowVoxels: .max, accepts: accepts(axis:length:))
            ?? WindowLayout(volume: volume, border: border, effective: effective(probe))
    }
}
