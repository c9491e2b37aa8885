import CPU
import Engine
import Geometry
import Testing

@testable import Inference

/// Two 3^3 convolutions, the second dilated by 2: receptive field 1 + 2 = 3 voxels a side, all cut off.
private func tinyGraph(padding: Graph.Padding) throws -> Graph {
    var graph = Graph(inputChannels: 2)
    var x = graph.convolution(
        graph.input, name: "first", channels: 4, kernel: Size3(cube: 3), padding: padding, bias: true)
    x = graph.relu(x)
    x = graph.convolution(
        x, name: "second", channels: 3, kernel: Size3(cube: 3), dilation: 2, padding: padding, bias: true)
    if padding == .same { x = graph.crop(x, border: 3) }
    graph.setOutput(x)
    return graph
}

/// Values between -1 and 1 that differ from voxel to voxel; a fixed sequence.
private func noise(_ count: Int) -> [Float] {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
    }
}

@Suite("Sliding window")
struct SlidingWindowTests {
    static let volume = Size3(13, 10, 17)

    static func slidingWindow(_ padding: Graph.Padding, window: Size3?) throws -> SlidingWindow {
        let graph = try tinyGraph(padding: padding)
        let parameters = Parameters(graph: graph)
        parameters.initialise(seed: 3)
        return SlidingWindow(
            graph: graph, parameters: parameters,
            options: .init(memoryBytes: 1 << 30, window: window), on: try CPUDevice(threads: 2))
    }

    @Test("A window computes its convolutions as told")
    func runsTheAlgorithmsAsked() throws {
        let graph = try tinyGraph(padding: .same)
        for named in [["first": ConvolutionAlgorithm.direct], ["second": .direct], [:]] {
            let window = SlidingWindow(
                graph: graph, parameters: Parameters(graph: graph),
                options: .init(
                    memoryBytes: 1 << 30, window: Size3(cube: 12),
                    algorithms: AlgorithmChoice(named: named)), on: try CPUDevice(threads: 1))
            var found: [String: String] = [:]
            window.observer = { if $0.kind == .convolution { found[$0.name] = $0.algorithm } }
            _ = try window.labels(images: noise(2 * Self.volume.count), size: Self.volume)
            #expect(found.count == 2)
            for (name, algorithm) in found {
                #expect(algorithm.hasPrefix("direct") == (named[name] == .direct), "\(name): \(algorithm)")
            }
        }
    }

    @Test(
        "Windows give what one pass over the whole volume gives",
        arguments: [Size3(cube: 12), Size3(11, 16, 9), Size3(19, 7, 23)])
    func equalsOnePass(window: Size3) throws {
        let images = noise(2 * Self.volume.count)
        // One window that takes in the volume and the network's border around it.
        let whole = try Self.slidingWindow(.same, window: Size3(19, 16, 23))
        #expect(try whole.layout(for: Self.volume).origins.count == 1)
        let expected = try whole.probabilities(images: images, size: Self.volume)
        let windowed = try Self.slidingWindow(.same, window: window)
        #expect(try windowed.layout(for: Self.volume).origins.count > 1)
        let found = try windowed.probabilities(images: images, size: Self.volume)
        #expect(found.classes == 3)
        // The same sums of 54 and 108 products in another order: some units of 6e-8 on values below 1.
        let worst = zip(found.values, expected.values).map { abs($0 - $1) }.max() ?? 1
        // Windows that begin elsewhere are tiled elsewhere; Winograd rounds to 1e-6 of a layer's norm.
        #expect(worst < 1e-5)
        #expect(try windowed.labels(images: images, size: Self.volume) == expected.labels())
    }

    @Test("Every operation of every window is reported")
    func reportsOperations() throws {
        let sliding = try Self.slidingWindow(.same, window: Size3(cube: 12))
        var names: [String] = []
        sliding.observer = { names.append($0.name) }
        let images = noise(2 * Self.volume.count)
        for volumes in 1...2 {
            _ = try sliding.labels(images: images, size: Self.volume)
            let windows = try sliding.layout(for: Self.volume).origins.count
            for name in ["packing", "first", "second"] {
                #expect(names.count { $0 == name } == volumes * windows)
            }
        }
    }

    @Test("Networks that do not pad themselves give the same as those that are cropped")
    func validEqualsCropped() throws {
        let images = noise(2 * Self.volume.count)
        let padded = try Self.slidingWindow(.same, window: Size3(cube: 12))
        let valid = try Self.slidingWindow(.valid, window: Size3(cube: 12))
        let first = try padded.probabilities(images: images, size: Self.volume)
        let second = try valid.probabilities(images: images, size: Self.volume)
        let worst = zip(first.values, second.values).map { abs($0 - $1) }.max() ?? 1
        // Windows that begin elsewhere are tiled elsewhere; Winograd rounds to 1e-6 of a layer's norm.
        #expect(worst < 1e-5)
    }

    @Test("Probabilities are the network's, not constant, and add up to 1")
    func addUpToOne() throws {
        let images = noise(2 * Self.volume.count)
        let map = try Self.slidingWindow(.same, window: nil).probabilities(images: images, size: Self.volume)
        for voxel in 0..<Self.volume.count {
            let sum = (0..<3).reduce(Float(0)) { $0 + map.values[$1 * Self.volume.count + voxel] }
            #expect(abs(sum - 1) < 1e-5)
        }
        let first = map[class: 1]
        #expect((first.max() ?? 0) - (first.min() ?? 0) > 0.1)
        #expect(Set(map.labels()).count == 3)
    }

    @Test("Progress counts the windows, and what it throws ends the segmentation")
    func reportsProgress() throws {
        struct Cancelled: Error {}
        let sliding = try Self.slidingWindow(.same, window: Size3(19, 16, 15))
        let images = noise(2 * Self.volume.count)
        var reports: [SlidingWindow.Progress] = []
        _ = try sliding.labels(images: images, size: Self.volume) { reports.append($0) }
        #expect(reports.map(\.completedWindows) == [1, 2])
        #expect(reports.map(\.totalWindows) == [2, 2])
        #expect(throws: Cancelled.self) {
            _ = try sliding.labels(images: images, size: Self.volume) { _ in throw Cancelled() }
        }
    }

    @Test("A window that the network cannot take is refused with the border that it needs")
    func refusesSmallWindows() throws {
        let sliding = try Self.slidingWindow(.same, window: Size3(cube: 6))
        let error = #expect(throws: InferenceError.self) { try sliding.layout(for: Self.volume) }
        #expect(error == .windowRefused(window: Size3(cube: 6), border: Size3(cube: 3)))
    }

    @Test("Too little memory is an error with both numbers")
    func refusesTooLittleMemory() throws {
        let graph = try tinyGraph(padding: .same)
        let sliding = SlidingWindow(
            graph: graph, parameters: Parameters(graph: graph), options: .init(memoryBytes: 100),
            on: try CPUDevice(threads: 1))
        let error = #expect(throws: InferenceError.self) { try sliding.layout(for: Size3(cube: 100)) }
        #expect("\(try #require(error))".contains("MiB"))
    }

    @Test("Less memory means smaller windows and the same result")
    func memoryDecidesTheWindow() throws {
        let graph = try tinyGraph(padding: .same)
        let parameters = Parameters(graph: graph)
        parameters.initialise(seed: 3)
        let volume = Size3(70, 66, 62)
        let images = noise(2 * volume.count)
        let device = try CPUDevice(threads: 2)
        func sliding(_ bytes: Int) -> SlidingWindow {
            SlidingWindow(
                graph: graph, parameters: parameters, options: .init(memoryBytes: bytes),
                on: device)
        }
        let ample = sliding(8 << 30)
        let tight = sliding(12 << 20)
        #expect(try ample.layout(for: volume).origins.count == 1)
        #expect(try tight.layout(for: volume).origins.count > 1)
        let first = try ample.probabilities(images: images, size: volume)
        let second = try tight.probabilities(images: images, size: volume)
        let worst = zip(first.values, second.values).map { abs($0 - $1) }.max() ?? 1
        // Windows that begin elsewhere are tiled elsewhere; Winograd rounds to 1e-6 of a layer's norm.
        #expect(worst < 1e-5)
    }
}

/// Slices: kernels of 1x3x3, or of 3x3x3 that see one slice alone.
@Suite("Sliding window over slices")
struct PlanarSlidingWindowTests {
    static let volume = Size3(11, 10, 17)

    static func sliding(
        _ kernel: Size3, planar: Bool, window: Size3? = nil, memoryBytes: Int = 1 << 30
    ) throws -> SlidingWindow {
        var graph = Graph(inputChannels: 2)
        var x = graph.convolution(graph.input, name: "first", channels: 4, kernel: kernel, bias: true)
        x = graph.relu(x)
        x = graph.convolution(x, name: "second", channels: 3, kernel: kernel, dilation: 2, bias: true)
        graph.setOutput(graph.crop(x, border: 3))
        let parameters = Parameters(graph: graph)
        parameters.initialise(seed: 3)
        return SlidingWindow(
            graph: graph, parameters: parameters,
            options: .init(memoryBytes: memoryBytes, window: window, isPlanar: planar),
            on: try CPUDevice(threads: 2))
    }

    private func expectEqual(
        _ first: ProbabilityMap, _ second: ProbabilityMap, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let worst = zip(first.values, second.values).map { abs($0 - $1) }.max() ?? 1
        #expect(worst < 1e-5, sourceLocation: sourceLocation)
        #expect(first.labels() == second.labels(), sourceLocation: sourceLocation)
    }

    @Test("Flat kernels give on slices what they give on the volume", arguments: [nil, Size3(1, 12, 9)])
    func flatKernels(window: Size3?) throws {
        let images = noise(2 * Self.volume.count)
        // A border of 3 along depth takes nothing from flat kernels: the crop alone cuts it off.
        let block = try Self.sliding(Size3(1, 3, 3), planar: false, window: Size3(17, 16, 23))
        let slices = try Self.sliding(Size3(1, 3, 3), planar: true, window: window)
        #expect(try slices.layout(for: Self.volume).window == window ?? Size3(1, 16, 23))
        expectEqual(
            try slices.probabilities(images: images, size: Self.volume),
            try block.probabilities(images: images, size: Self.volume))
    }

    @Test("A slice does not see its neighbours")
    func oneAtATime() throws {
        let images = noise(2 * Self.volume.count)
        let slices = try Self.sliding(Size3(cube: 3), planar: true)
        let whole = try slices.probabilities(images: images, size: Self.volume)
        let size = Size3(1, Self.volume.height, Self.volume.width)
        for depth in [0, 5, 10] {
            var alone: [Float] = []
            for channel in 0..<2 {
                let first = (channel * Self.volume.depth + depth) * size.count
                alone += images[first..<first + size.count]
            }
            let map = try slices.probabilities(images: alone, size: size)
            for index in 0..<3 {
                let expected = whole[class: index].dropFirst(depth * size.count).prefix(size.count)
                #expect(zip(map[class: index], expected).allSatisfy { abs($0 - $1) < 1e-5 })
            }
        }
    }

    @Test("Slices are computed eight at a time, fewer where memory does not suffice")
    func batches() throws {
        let images = noise(2 * Self.volume.count)
        var done: [Int] = []
        let labels = try Self.sliding(Size3(cube: 3), planar: true)
            .labels(images: images, size: Self.volume) { done.append($0.completedWindows) }
        #expect(done == [8, 11])
        #expect(labels.count == Self.volume.count)
        let large = Size3(4, 400, 380)
        let ample = try Self.sliding(Size3(1, 3, 3), planar: true)
        let tight = try Self.sliding(Size3(1, 3, 3), planar: true, memoryBytes: 50 << 20)
        #expect(try ample.slots(ample.layout(for: large)) == 4)
        let layout = try tight.layout(for: large)
        #expect(layout.window.depth == 1)
        let slots = try tight.slots(layout)
        #expect((1...3).contains(slots), "\(slots) of \(layout.window)")
    }

    @Test("A deep window is refused")
    func refusesDeepWindows() throws {
        let sliding = try Self.sliding(Size3(1, 3, 3), planar: true, window: Size3(7, 16, 16))
        #expect(throws: InferenceError.self) { try sliding.layout(for: Self.volume) }
    }
}
