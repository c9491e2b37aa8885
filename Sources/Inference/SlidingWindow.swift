import Engine
import Geometry

/// Applies a network to whole volumes, a window at a time.
///
/// Windows overlap by the network's border and no more: no voxel of the result is computed twice, except
/// where the last window of an axis is shifted back to keep its shape. Where the border covers the
/// receptive field, the result is that of one pass over the whole zero-padded volume; a network whose own
/// zero padding reaches further in (HighRes3DNet: border 18, reach 43) sees in each window what it saw in
/// its training patches.
///
/// One object serves any number of volumes; the network is compiled anew only when the window's shape
/// changes.
public final class SlidingWindow {
    /// What a window may take, and how it is computed.
    public struct Options: Sendable {
        /// Bytes that a compiled window may take; decides the window's size.
        public var memoryBytes: Int
        /// Size of a window, border included; nil: the size that computes the fewest voxels in `memoryBytes`.
        public var window: Size3?
        /// Whether the network takes slices: windows are one voxel deep, and up to ``largestBatch`` are
        /// computed at once, as memory allows.
        public var isPlanar: Bool
        /// The algorithms of the convolutions, by their names: what the training ran, so that the same sums
        /// are formed.
        public var algorithms: AlgorithmChoice

        /// Windows of slices that are computed at once, at most.
        public static let largestBatch = 8

        public init(
            memoryBytes: Int, window: Size3? = nil, isPlanar: Bool = false,
            algorithms: AlgorithmChoice = AlgorithmChoice()
        ) {
            self.memoryBytes = memoryBytes
            self.window = window
            self.isPlanar = isPlanar
            self.algorithms = algorithms
        }
    }

    /// How far a volume is.
    public struct Progress: Sendable, Equatable {
        /// Windows that have been computed and blended in.
        public let completedWindows: Int
        /// Windows of the whole volume.
        public let totalWindows: Int
    }

    /// The network, whose border may be smaller than in training.
    public let graph: Graph
    /// What the windows may take, as it was given.
    public let options: Options
    /// Is told of every operation of the windows that has run, as ``CompiledNetwork/observer`` is.
    public var observer: ((OperationReport) -> Void)?
    private let parameters: Parameters
    private let device: any Device
    private var compiled: (any CompiledNetwork)?
    private var bytesPerVoxel: Double?

    /// - Parameters:
    ///   - parameters: weights and running statistics, shared with the caller.
    ///   - device: where windows are computed, on the calling thread.
    public init(graph: Graph, parameters: Parameters, options: Options, on device: any Device) {
        self.graph = graph
        self.parameters = parameters
        self.options = options
        self.device = device
    }

    /// Most probable class of each voxel.
    /// - Parameters:
    ///   - images: `[channel][depth][height][width]`, normalised.
    ///   - size: of the volume.
    ///   - progress: called after each window, or batch of them; what it throws ends the segmentation.
    /// - Returns: `[depth][height][width]`; of equally probable classes the first.
    public func labels(
        images: [Float], size: Size3, progress: (Progress) throws -> Void = { _ in }
    ) throws -> [UInt8] {
        var labels = [UInt8](repeating: 0, count: size.count)
        try run(images: images, size: size, progress: progress) { network, layout, origin, window in
            layout.storeLabels(of: window, classes: network.classes, at: origin, in: &labels)
        }
        return labels
    }

    /// Probability of each class at each voxel; memory grows with the number of classes.
    /// - Returns: classes add up to 1 at each voxel, to float rounding.
    public func probabilities(
        images: [Float], size: Size3, progress: (Progress) throws -> Void = { _ in }
    ) throws -> ProbabilityMap {
        var map = ProbabilityMap(size: size, classes: graph.output.map { graph.channels(of: $0) } ?? 0)
        try run(images: images, size: size, progress: progress) { network, layout, origin, window in
            layout.storeProbabilities(of: window, classes: network.classes, at: origin, in: &map.values)
        }
        return map
    }

    /// The layout for a volume: `options.window`, or the cheapest one that fits the memory.
    public func layout(for volume: Size3) throws -> WindowLayout {
        guard options.isPlanar else { return try blockLayout(for: volume) }
        let slice = try blockLayout(for: Size3(1, volume.height, volume.width))
        return WindowLayout(volume: volume, border: slice.border, effective: slice.effective)
    }

    private func blockLayout(for volume: Size3) throws -> WindowLayout {
        let geometry = try NetworkGeometry(graph: graph, volume: volume)
        if let window = options.window {
            guard geometry.accepts(window), window.depth == 1 || !options.isPlanar else {
                throw InferenceError.windowRefused(window: window, border: geometry.border)
            }
            return WindowLayout(
                volume: volume, border: geometry.border, effective: geometry.effective(window))
        }
        let single = geometry.smallestLayout
        if single.window.count <= Self.smallWindow, single.origins.count == 1 { return single }
        let allowed = Int(Double(options.memoryBytes) / (try probe(geometry)))
        let chosen = WindowLayout.choose(
            volume: volume, border: geometry.border, maximumWindowVoxels: allowed, accepts: geometry.accepts)
        guard let chosen else {
            throw InferenceError.memory(
                allowedBytes: options.memoryBytes, window: geometry.probe,
                neededBytes: Int(Double(geometry.probe.count) * (try probe(geometry))))
        }
        return chosen
    }

    /// Voxels for which memory is not asked.
    private static let smallWindow = 64 * 64 * 64

    /// How many windows are computed at once.
    func slots(_ layout: WindowLayout) throws -> Int {
        let most = options.isPlanar ? min(Options.largestBatch, layout.origins.count) : 1
        guard most * layout.window.count > Self.smallWindow, most > 1 else { return most }
        let slice = Size3(1, layout.volume.height, layout.volume.width)
        let perVoxel = try probe(try NetworkGeometry(graph: graph, volume: slice))
        let fitting = Int(Double(options.memoryBytes) / perVoxel) / layout.window.count
        return min(most, max(1, fitting, Self.smallWindow / layout.window.count))
    }

    /// Bytes that a compiled network takes for a voxel of its window, from the smallest window of a useful
    /// size.
    private func probe(_ geometry: NetworkGeometry) throws -> Double {
        if let bytesPerVoxel { return bytesPerVoxel }
        let network = try network(geometry.probe, slots: 1)
        let measured = Double(max(network.peakBytes, 1)) / Double(geometry.probe.count)
        bytesPerVoxel = measured
        return measured
    }

    private func network(_ window: Size3, slots: Int) throws -> any CompiledNetwork {
        if let compiled, compiled.inputSize == window, compiled.options.slots == slots { return compiled }
        compiled = nil  // its memory is free before the next one asks
        let made = try device.compile(
            inference: graph, inputSize: window, slots: slots, algorithms: options.algorithms,
            sharing: parameters)
        compiled = made
        return made
    }

    private func run(
        images: [Float], size: Size3, progress: (Progress) throws -> Void,
        store: (any CompiledNetwork, WindowLayout, VoxelIndex, [Float]) -> Void
    ) throws {
        let channels = graph.channels(of: graph.input)
        precondition(
            images.count == channels * size.count,
            "images hold \(images.count) values, \(channels) channels of \(size) need \(channels * size.count)"
        )
        let layout = try layout(for: size)
        let network = try network(layout.window, slots: try slots(layout))
        network.observer = observer
        var window = [Float](repeating: 0, count: network.classes * layout.effective.count)
        var rest = layout.origins[...]
        while !rest.isEmpty {
            let batch = rest.prefix(network.options.slots)
            rest = rest.dropFirst(batch.count)
            for (slot, origin) in batch.enumerated() {
                network.withInput(slot: slot) {
                    layout.load(images, channels: channels, at: origin, into: $0)
                }
            }
            try network.forward()
            for (slot, origin) in batch.enumerated() {
                window.withUnsafeMutableBufferPointer { network.probabilities(slot: slot, into: $0) }
                store(network, layout, origin, window)
            }
            try progress(
                Progress(
                    completedWindows: layout.origins.count - rest.count, totalWindows: layout.origins.count))
        }
    }
}

/// Probabilities of a whole volume.
public struct ProbabilityMap: Sendable {
    /// Voxels of the volume an axis.
    public let size: Size3
    /// Classes, background included.
    public let classes: Int
    /// `[class][depth][height][width]`, 0...1.
    public internal(set) var values: [Float]

    init(size: Size3, classes: Int) {
        self.size = size
        self.classes = classes
        values = [Float](repeating: 0, count: classes * size.count)
    }

    /// The map of one class, `[depth][height][width]`.
    public subscript(class index: Int) -> ArraySlice<Float> {
        values[index * size.count..<(index + 1) * size.count]
    }

    /// Most probable class of each voxel; of equally probable classes the first.
    public func labels() -> [UInt8] {
        let layout = WindowLayout(volume: size, border: Size3(0, 0, 0), effective: size)
        var labels = [UInt8](repeating: 0, count: size.count)
        layout.storeLabels(of: values, classes: classes, at: layout.origins[0], in: &labels)
        return labels
    }
}
