import CPU
import Engine
import Geometry
import Networks
import Testing

@Suite struct DeepMedicTests {
    private func parameterCount(_ network: DeepMedic) -> Int {
        Parameters(graph: network.graph()).parameters.count
    }

    /// A path: 27 c_in c_out a convolution, 3 c a batch norm and its slopes; twice. Hidden and logits as they
    /// stand.
    @Test func parameterCounts() throws {
        let widths = [1, 30, 30, 40, 40, 40, 40, 50, 50]
        let path = zip(widths, widths.dropFirst()).reduce(0) { $0 + 27 * $1.0 * $1.1 + 3 * $1.1 }
        let head = 100 * 150 + 450 + 150 * 150 + 450 + 150 * 2 + 2
        let one = try DeepMedic(inputChannels: 1, classes: 2)
        #expect(parameterCount(one) == 2 * path + head)
        #expect(parameterCount(one) == 657_842)
        #expect(try parameterCount(DeepMedic(inputChannels: 3, classes: 2)) == 657_842 + 2 * 2 * 27 * 30)
    }

    /// Table 1 of Sudre et al. 2017, and what lies between.
    @Test(arguments: [(51, 3), (63, 15), (87, 39), (54, 6), (60, 12)])
    func effectivePatch(edge: Int, effective: Int) throws {
        let network = try DeepMedic(inputChannels: 2, classes: 2)
        #expect(try network.effectiveEdge(ofPatch: edge) == effective)
        #expect(try network.graph().outputSize(inputSize: Size3(cube: edge)) == Size3(cube: effective))
    }

    @Test func otherPatchesNameTheNearest() throws {
        let network = try DeepMedic(inputChannels: 1, classes: 2)
        let error = #expect(throws: NetworkError.self) { try network.effectiveEdge(ofPatch: 64) }
        #expect(
            error?.description
                == "The network deepmedic cannot take a patch of 64 voxels an axis; the nearest that it can are 63 and 66."
        )
        #expect(
            throws: EngineError.patchNotDivisible(input: Size3(cube: 64), found: Size3(cube: 64), step: 3)
        ) {
            try network.graph().outputSize(inputSize: Size3(cube: 64))
        }
    }

    /// What a wider border leaves off is what the smallest one had around it.
    @Test func aWiderBorderKeepsTheCentre() throws {
        let network = try DeepMedic(
            inputChannels: 1, classes: 2,
            options: NetworkOptions(widths: [2, 2, 2, 2, 2, 2, 2, 2], hidden: 3))
        let model = Parameters(graph: network.graph())
        func logits(border: Int) throws -> [Float] {
            let plan = try Plan(
                inference: network.graph(border: border), inputSize: Size3(cube: 57), slots: 1, threads: 1,
                sharing: model)
            plan.withInput(slot: 0) { image in
                for index in image.indices { image[index] = Float(index * 7919 % 101) / 50 - 1 }
            }
            try plan.forward()
            return plan.logits(slot: 0)
        }
        let (wide, narrow) = (try logits(border: 24), try logits(border: 27))
        for (index, value) in narrow.enumerated() {
            let (channel, z, y, x) = (index / 27, index / 9 % 3, index / 3 % 3, index % 3)
            let other = wide[channel * 729 + (z + 3) * 81 + (y + 3) * 9 + x + 3]
            // Other tiles, other roundings.
            #expect(abs(value - other) < 1e-4 * max(1, abs(other)))
        }
    }

    @Test func optionsOutOfRange() {
        let error = #expect(throws: NetworkError.self) {
            try DeepMedic(inputChannels: 1, classes: 2, options: NetworkOptions(widths: [4, 4]))
        }
        #expect(
            error?.description
                == "The network deepmedic was given [4, 4] for widths, but it takes 8 positive numbers.")
    }
}
