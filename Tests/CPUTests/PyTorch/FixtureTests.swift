import CPU
import Engine
import Testing

/// Operations and networks against PyTorch in float64, on every instruction set of this machine.
@Suite(.serialized) struct FixtureTests {
    /// A way to run a plan.
    struct Setup: Sendable, CustomTestStringConvertible {
        let instructionSet: InstructionSet
        let convolution: ConvolutionAlgorithm

        /// Relative L2 error. Direct: float32 has 6e-8, and twice what PyTorch's own float32 reaches on the
        /// case, where that is above 5e-6. Winograd's products are of sums, less exact a convolution: five
        /// times PyTorch's float32 was seen, and at most 5e-5, in the gradients of shifts, which are small
        /// differences of large sums.
        func tolerance(_ fixture: FixtureCase) -> Double {
            switch convolution {
            case .direct: max(1e-5, 2 * fixture.float32Error)
            case .winograd, .auto: min(6e-5, max(1e-5, 6 * fixture.float32Error))
            }
        }
        var testDescription: String { "\(convolution) on \(instructionSet)" }

        static let all = InstructionSet.available.flatMap { set in
            [ConvolutionAlgorithm.direct, .winograd].map { Setup(instructionSet: set, convolution: $0) }
        }
    }

    static let operations: [FixtureCase] = all.filter { $0.network == nil }
    static let networks: [FixtureCase] = all.filter { $0.network != nil }
    private static var all: [FixtureCase] { (try? FixtureFile.shared.get().cases) ?? [] }

    @Test func fixturesAreThere() throws {
        let file = try FixtureFile.shared.get()
        #expect(file.cases.count > 120)
        #expect(Self.networks.count == 16)
    }

    @Test(arguments: operations, Setup.all)
    func operation(fixture: FixtureCase, setup: Setup) throws {
        try check(fixture, setup)
    }

    @Test(arguments: networks, Setup.all)
    func network(fixture: FixtureCase, setup: Setup) throws {
        try check(fixture, setup)
    }

    private func check(_ fixture: FixtureCase, _ setup: Setup) throws {
        let graph = try fixture.graph()
        let model = Parameters(graph: graph)
        fixture.fill(model.parameters)
        fixture.fill(model.statistics)
        let slots = fixture.references.count
        let plan =
            fixture.inference
            ? try Plan(
                inference: graph, inputSize: fixture.inputSize, slots: slots, threads: 2, sharing: model,
                algorithms: AlgorithmChoice(setup.convolution), instructionSet: setup.instructionSet)
            : try Plan(
                training: graph, inputSize: fixture.inputSize,
                options: Plan.Options(
                    slots: slots, threads: 2, algorithms: AlgorithmChoice(setup.convolution)),
                loss: try fixture.makeLoss(), model: model, instructionSet: setup.instructionSet)
        for slot in 0..<slots {
            plan.withInput(slot: slot) { fixture.fillImage($0, slot: slot) }
            if !fixture.inference { plan.withReference(slot: slot) { fixture.fillReference($0, slot: slot) } }
        }
        try plan.forward()
        var comparison = Comparison(
            fixture: fixture, file: try FixtureFile.shared.get(), tolerance: setup.tolerance(fixture))
        for slot in 0..<slots { comparison.compare("logits/\(slot)", plan.logits(slot: slot)) }
        if !fixture.inference {
            comparison.compare(try plan.loss())
            for entry in model.statistics.entries {
                comparison.compare("statistic/\(entry.name)", model.statistics[entry.name])
            }
        }
        if fixture.gradients && !fixture.inference {
            try plan.backward()
            for entry in model.gradients.entries {
                comparison.compare("gradient/\(entry.name)", model.gradients[entry.name])
            }
        }
        #expect(comparison.remaining.isEmpty, "not compared: \(comparison.remaining.sorted())")
    }

    /// Compares what a plan computed with a case, and keeps count of what is still to be compared.
    private struct Comparison {
        let fixture: FixtureCase
        let file: FixtureFile
        let tolerance: Double
        var remaining: Set<String>

        init(fixture: FixtureCase, file: FixtureFile, tolerance: Double) {
            (self.fixture, self.file, self.tolerance) = (fixture, file, tolerance)
            remaining = Set(fixture.arrays.keys)
        }

        mutating func compare(_ key: String, _ found: [Float]) {
            guard let array = fixture.arrays[key] else {
                Issue.record("\(key) is not in the fixture")
                return
            }
            remaining.remove(key)
            #expect(found.count == array.total, "\(key)")
            let sampled = stride(from: 0, to: found.count, by: array.stride).map { found[$0] }
            let error = relativeError(sampled, file.elements(array))
            #expect(error <= tolerance, "\(key): relative L2 error \(error)")
        }

        func compare(_ report: BatchReport) {
            let expected = fixture.expected
            let pairs: [(String, [Double], [Double]?)] = [
                ("loss", [report.loss], expected.loss.map { [$0] }),
                ("dice", [report.dice], expected.dice.map { [$0] }),
                ("slot losses", report.slotLosses, expected.slotLosses),
                ("reference", report.sums.reference, expected.reference),
                ("prediction", report.sums.prediction, expected.prediction),
                ("intersection", report.sums.intersection, expected.intersection),
            ]
            for (name, found, wanted) in pairs {
                let error = wanted.map { zip(found, $0).map { abs($0 - $1) / max(abs($1), 1e-3) }.max() ?? 0 }
                #expect(found.count == wanted?.count, "\(name)")
                #expect((error ?? 1) <= tolerance, "\(name): \(found), not \(wanted ?? [])")
            }
        }
    }
}
