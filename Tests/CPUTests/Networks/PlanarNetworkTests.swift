import CPU
import Engine
import Geometry
import Networks
import Testing

/// U-Net and TwoPathCNN: counts, sizes and refusals.
@Suite struct PlanarNetworkTests {
    private func parameterCount(_ network: any Network) -> Int {
        Parameters(graph: network.graph()).parameters.count
    }

    /// A unit: 9 c_in c_out, and a scale and a shift a channel; two units a level; 4 c_in c_out a transposed
    /// convolution.
    @Test func parametersOfUNet() throws {
        func level(_ input: Int, _ output: Int) -> Int { 9 * (input + output) * output + 4 * output }
        let down = level(1, 64) + level(64, 128) + level(128, 256)
        let up = 4 * 256 * 128 + level(2 * 128, 128) + 4 * 128 * 64 + level(2 * 64, 64)
        let network = try UNet(inputChannels: 1, classes: 2)
        #expect(parameterCount(network) == down + up + 2 * 64 + 2)
        #expect(parameterCount(network) == 1_862_850)
        #expect(try parameterCount(UNet(inputChannels: 3, classes: 2)) == 1_862_850 + 2 * 576)
    }

    /// Maxout halves the channels of the convolution before it.
    @Test func parametersOfTwoPathCNN() throws {
        let local = 49 * 128 + 2 * 128 + 25 * 64 * 128 + 2 * 128
        let global = 169 * 320 + 2 * 320
        let network = try TwoPathCNN(inputChannels: 1, classes: 2)
        #expect(parameterCount(network) == local + global + 361 * 224 * 2 + 2)
        #expect(parameterCount(network) == 428_034)
        #expect(try parameterCount(TwoPathCNN(inputChannels: 3, classes: 2)) == 428_034 + 2 * 60_352)
    }

    /// Table 1 of Sudre et al. 2017.
    @Test(arguments: [
        ("unet", 56, 16), ("unet", 64, 24), ("unet", 88, 48), ("twopathcnn", 51, 19), ("twopathcnn", 63, 31),
        ("twopathcnn", 85, 53),
    ])
    func effectivePatch(name: String, edge: Int, effective: Int) throws {
        let network = try NetworkRegistry.network(named: name, inputChannels: 3, classes: 2)
        #expect(try network.effectiveEdge(ofPatch: edge) == effective)
        let size = try network.graph().outputSize(inputSize: Size3(1, edge, edge))
        #expect(size == Size3(1, effective, effective))
    }

    @Test func otherPatchesNameTheNearest() throws {
        let network = try UNet(inputChannels: 1, classes: 2)
        let error = #expect(throws: NetworkError.self) { try network.effectiveEdge(ofPatch: 58) }
        #expect(
            error?.description
                == "The network unet cannot take a patch of 58 voxels an axis; the nearest that it can are 56 and 60."
        )
        // Poolings of an odd number of voxels would drop some: the paths no longer meet.
        #expect(throws: EngineError.self) { try network.graph().outputSize(inputSize: Size3(1, 58, 58)) }
        #expect(throws: NetworkError.patchEdge(network: "twopathcnn", found: 32, nearest: [33])) {
            try TwoPathCNN(inputChannels: 1, classes: 2).effectiveEdge(ofPatch: 32)
        }
    }

    @Test(arguments: [
        (NetworkOptions(hidden: 10), "hidden"), (NetworkOptions(activation: .relu), "activation"),
        (NetworkOptions(widths: [4, 4]), "widths"),
        (NetworkOptions(widths: [4, 4, 6], normalisation: .group, groups: 3), "groups"),
        (NetworkOptions(dropout: 1), "dropout"),
    ])
    func optionsOutOfRange(options: NetworkOptions, key: String) {
        let error = #expect(throws: NetworkError.self) {
            try TwoPathCNN(inputChannels: 1, classes: 2, options: options)
        }
        #expect(error?.description.contains("for \(key), but it takes") == true)
    }
}
