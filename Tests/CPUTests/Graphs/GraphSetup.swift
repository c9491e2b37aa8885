@testable import CPU
@testable import Engine

/// A way to run a network on processors.
struct GraphSetup: Hashable, CustomStringConvertible {
    var algorithms: AlgorithmChoice
    var instructionSet: InstructionSet
    var threads: Int
    var gradientsBySlot = false
    var microBatches = 1
    /// Whether memory is NaN until it is written, and guarded.
    var checksMemory = false

    /// Relative to the largest value of a tensor. Float32 has 6e-8, a sum of some hundred products some times
    /// that, and a graph a dozen operations: the direct sum stays below 1e-5. Winograd's transforms multiply
    /// by up to 8 and subtract: 4.5e-5 was the most in 600 graphs beside what noise explains, so that
    /// transforms half as exact would be told.
    var tolerance: Double { algorithms.rule == .direct && algorithms.named.isEmpty ? 2e-5 : 6e-5 }

    func device() throws -> CPUDevice {
        try CPUDevice(threads: threads, instructionSet: instructionSet, checksMemory: checksMemory)
    }

    var description: String {
        let named = algorithms.named.sorted { $0.key < $1.key }.map { ", \($0.key): \($0.value)" }.joined()
        return
            "\(algorithms.rule)\(named), \(instructionSet), \(threads) threads"
            + (gradientsBySlot ? ", gradients by slot" : "")
            + (microBatches > 1 ? ", \(microBatches) micro-batches" : "")
            + (checksMemory ? ", memory checked" : "")
    }
}

extension GraphCase {
    /// Every algorithm on every instruction set of this machine, and a mixture; threads and the rest are
    /// drawn.
    var setups: [GraphSetup] {
        var draws = FixtureDraws("\(seed)/setups")
        return InstructionSet.available.flatMap { set -> [GraphSetup] in
            let mixed = operations.indices.map {
                ("o\($0 + 1)", draws.one(of: [ConvolutionAlgorithm.direct, .auto]))
            }
            let choices = [
                AlgorithmChoice(.direct), AlgorithmChoice(.winograd),
                AlgorithmChoice(.auto, named: Dictionary(uniqueKeysWithValues: mixed)),
            ]
            return choices.map { choice in
                var setup = GraphSetup(
                    algorithms: choice, instructionSet: set, threads: draws.integer(1...2))
                setup.gradientsBySlot = draws.chance(25)
                setup.checksMemory = draws.chance(50)
                let parts = (1...slots).filter { slots % $0 == 0 }
                if draws.chance(25) { setup.microBatches = draws.one(of: parts) }
                return setup
            }
        }
    }
}
