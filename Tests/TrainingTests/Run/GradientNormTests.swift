import CPU
import Testing

/// The gradient's norm and scale, which clipping takes.
@Suite struct GradientNormTests {
    /// Values over twelve orders of magnitude.
    private static func values(_ count: Int) -> [Float] {
        (0..<count).map { index in
            let small = Float((index * 7919) % 20011) / 20011 - 0.5
            return index % 5 == 0 ? small * 1e-6 : index % 7 == 0 ? small * 1e6 : small
        }
    }

    private static func devices() throws -> [CPUDevice] {
        try InstructionSet.available.flatMap { set in
            try [1, 2, 3, 8].map { try CPUDevice(threads: $0, instructionSet: set) }
        }
    }

    /// Parts of a vector, of a sum, and several sums.
    @Test(arguments: [1, 15, 1003, 8192, 8193, 100_003])
    func normIsTheSameHoweverItIsFormed(count: Int) throws {
        let model = OptimizerTests.model(count: count)
        let values = Self.values(count)
        model.gradients.setValues(values)
        let naive = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        let norms = try Self.devices().map { $0.norm(model.gradients) }
        #expect(naive > 0 && abs(norms[0] / naive - 1) < 1e-12, "\(norms[0]), not \(naive)")
        #expect(norms.allSatisfy { $0 == norms[0] }, "\(norms)")
    }

    /// The bits of a sum in another order are often the same: many sums.
    @Test func threadsChangeNoBit() throws {
        for count in stride(from: 60_000, through: 120_000, by: 4_001) {
            let model = OptimizerTests.model(count: count)
            model.gradients.setValues(Self.values(count))
            let norms = try Self.devices().map { $0.norm(model.gradients) }
            #expect(norms.allSatisfy { $0 == norms[0] }, "\(count) values: \(norms)")
        }
    }

    @Test(arguments: [1, 1003, 100_003])
    func everyValueIsScaled(count: Int) throws {
        let model = OptimizerTests.model(count: count)
        let values = Self.values(count)
        for device in try Self.devices() {
            model.gradients.setValues(values)
            device.scale(model.gradients, by: 0.37)
            #expect(model.gradients.values == values.map { $0 * 0.37 }, "\(device.name), \(device.threads)")
        }
    }
}
