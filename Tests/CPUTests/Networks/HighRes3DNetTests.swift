import CPU
import Engine
import Geometry
import Networks
import Testing

@Suite struct HighRes3DNetTests {
    private func parameterCount(_ network: HighRes3DNet) -> Int {
        Parameters(graph: network.graph()).parameters.count
    }

    @Test func parameterCounts() throws {
        let one = try HighRes3DNet(inputChannels: 1, classes: 2)
        #expect(parameterCount(one) == 808_946)
        let normalised = try HighRes3DNet(
            inputChannels: 1, classes: 2, options: NetworkOptions(logits: .batchNormalisation))
        #expect(parameterCount(normalised) == 808_948)
        // 27 * 16 an input channel; 80 weights and a bias a class.
        let more = try HighRes3DNet(inputChannels: 3, classes: 4)
        #expect(parameterCount(more) == 808_946 + 2 * 432 + 2 * 81)
        // A slope a channel at each of the 20 activations: 16 * (1 + 7), 32 * 6, 64 * 5, 80.
        let slopes = try HighRes3DNet(
            inputChannels: 1, classes: 2, options: NetworkOptions(activation: .prelu))
        #expect(parameterCount(slopes) == 808_946 + 16 * 8 + 32 * 6 + 64 * 5 + 80)
    }

    @Test(arguments: [(51, 15), (63, 27), (85, 49), (37, 1)])
    func effectivePatch(edge: Int, effective: Int) throws {
        let network = try HighRes3DNet(inputChannels: 3, classes: 2)
        #expect(try network.effectiveEdge(ofPatch: edge) == effective)
        #expect(try network.graph().outputSize(inputSize: Size3(cube: edge)) == Size3(cube: effective))
    }

    @Test func borderChangesNoParameter() throws {
        let network = try HighRes3DNet(inputChannels: 2, classes: 3)
        let dense = network.graph(border: 0)
        #expect(Parameters(graph: dense).parameters.count == parameterCount(network))
        #expect(try dense.outputSize(inputSize: Size3(20, 24, 17)) == Size3(20, 24, 17))
        #expect(dense.output.map { dense.channels(of: $0) } == 3)
    }

    @Test func widthsScale() throws {
        let narrow = try HighRes3DNet(
            inputChannels: 1, classes: 2, options: NetworkOptions(widths: [4, 8, 16], hidden: 20))
        // By the formula of the table: 27 c_in c_out a convolution, 2 c a batch norm.
        let initial = 27 * 4 + 8
        let stage1 = 3 * (2 * 8 + 2 * 27 * 16)
        let stage2 = (8 + 27 * 32 + 16 + 27 * 64) + 2 * (2 * 16 + 2 * 27 * 64)
        let stage3 = (16 + 27 * 128 + 32 + 27 * 256) + 2 * (2 * 32 + 2 * 27 * 256)
        let head = 16 * 20 + 40 + 20 * 2 + 2
        #expect(parameterCount(narrow) == initial + stage1 + stage2 + stage3 + head)
    }

    @Test func patchTooSmallNamesTheSmallest() throws {
        let network = try HighRes3DNet(inputChannels: 1, classes: 2)
        let error = #expect(throws: NetworkError.self) { try network.effectiveEdge(ofPatch: 36) }
        #expect(
            error?.description
                == "The network highres3dnet cannot take a patch of 36 voxels an axis; the nearest that it can is 37."
        )
    }

    @Test(arguments: [
        (0, 2, NetworkOptions(), "channels"), (1, 1, NetworkOptions(), "classes"),
        (1, 257, NetworkOptions(), "classes"), (1, 2, NetworkOptions(widths: [16, 32]), "widths"),
        (1, 2, NetworkOptions(widths: [16, 8, 64]), "widths"),
        (1, 2, NetworkOptions(widths: [0, 8, 8]), "widths"),
        (1, 2, NetworkOptions(hidden: 0), "hidden"),
    ])
    func optionOutOfRange(channels: Int, classes: Int, options: NetworkOptions, key: String) {
        let error = #expect(throws: NetworkError.self) {
            try HighRes3DNet(inputChannels: channels, classes: classes, options: options)
        }
        #expect(error?.description.contains(" for \(key), but it takes ") == true)
    }
}

@Suite struct NetworkRegistryTests {
    @Test func findsByName() throws {
        let network = try NetworkRegistry.network(
            named: "highres3dnet", inputChannels: 3, classes: 2,
            options: NetworkOptions(logits: .batchNormalisation))
        #expect(network.border == 18)
        #expect((network as? HighRes3DNet)?.logits == .batchNormalisation)
        #expect(NetworkRegistry.names.contains("highres3dnet"))
    }

    @Test func unknownNameListsTheKnownOnes() {
        let error = #expect(throws: NetworkError.self) {
            try NetworkRegistry.network(named: "vnet", inputChannels: 1, classes: 2)
        }
        #expect(error?.description.hasPrefix("There is no network \"vnet\"; known are ") == true)
        #expect(error?.description.contains("highres3dnet") == true)
    }

    @Test func nearestPatchEdges() {
        let edges = PatchEdges(smallest: 51, step: 6)
        #expect(edges.contains(51) && edges.contains(63) && edges.contains(87) && !edges.contains(54))
        #expect(edges.nearest(to: 54) == [51, 57])
        #expect(edges.nearest(to: 57) == [57])
        #expect(edges.nearest(to: 12) == [51])
    }
}
