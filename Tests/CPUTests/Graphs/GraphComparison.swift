@testable import CPU
@testable import Engine

/// How far a tensor is off.
struct Mismatch: CustomStringConvertible {
    var name: String
    var difference, largest, tolerance: Double

    var description: String {
        "\(name) differs by \(difference), tolerance \(tolerance), where the largest value is \(largest)"
    }
}

/// A case on the reference device, and how far others may be off.
final class ReferenceRun {
    /// The reference's noise in each convolution, above Winograd's rounding.
    private static let noise = 1e-6

    let inputs: GraphInputs
    var graphCase: GraphCase { inputs.graphCase }

    /// What is computed on the reference.
    private enum Pass: Hashable {
        case training(microBatches: Int)
        case inference
    }

    /// What the reference has computed so far.
    private var computed: [Pass: [NamedTensor]] = [:]
    /// By name, the largest difference that noise has made so far.
    private var responses: [Pass: [String: Double]] = [:]
    private var perturbed = 0

    /// - Throws: An `EngineError` where the reference refuses the graph.
    init(_ graphCase: GraphCase) throws {
        inputs = GraphInputs(graphCase)
        _ = try expected(.training(microBatches: 1))
    }

    /// What the reference computes of all slots at once.
    var trained: [NamedTensor] { get throws { try expected(.training(microBatches: 1)) } }

    private func expected(_ pass: Pass) throws -> [NamedTensor] {
        if let known = computed[pass] { return known }
        let found = try run(pass, on: ReferenceDevice())
        computed[pass] = found
        return found
    }

    private func run(_ pass: Pass, on device: ReferenceDevice) throws -> [NamedTensor] {
        switch pass {
        case .training(let microBatches):
            try inputs.train(on: device, GraphInputs.Way(microBatches: microBatches))
        case .inference: try inputs.infer(on: device)
        }
    }

    /// What is off on the device of a setup.
    func mismatches(_ setup: GraphSetup, training: Bool) throws -> [Mismatch] {
        let way = GraphInputs.Way(
            algorithms: setup.algorithms, gradientsBySlot: setup.gradientsBySlot,
            microBatches: setup.microBatches, isAfterNaN: true)
        let device = try setup.device()
        guard training else {
            return try mismatches(inputs.infer(on: device, way), .inference, setup.tolerance)
        }
        // Micro-batches make no difference but to the statistics of batch normalisation.
        let microBatches = graphCase.hasBatchNorm ? setup.microBatches : 1
        return try mismatches(
            inputs.train(on: device, way), .training(microBatches: microBatches), setup.tolerance)
    }

    /// What is off by more than the tolerance, relative to a tensor's largest value, and by more than noise
    /// explains.
    private func mismatches(
        _ found: [NamedTensor], _ pass: Pass, _ tolerance: Double
    ) throws -> [Mismatch] {
        let expected = Dictionary(uniqueKeysWithValues: try expected(pass).map { ($0.name, $0.values) })
        func wrong() -> [Mismatch] {
            found.compactMap { tensor in
                guard let values = expected[tensor.name], values.count == tensor.values.count else {
                    return Mismatch(name: tensor.name, difference: .infinity, largest: 0, tolerance: 0)
                }
                let largest = values.reduce(0) { max($0, abs($1)) }
                let difference = Self.difference(tensor.values, values)
                // Noise is ten times as large as a rounding of Winograd's.
                let tolerance = max(tolerance * largest, 10 * (responses[pass]?[tensor.name] ?? 0))
                return difference <= tolerance
                    ? nil
                    : Mismatch(
                        name: tensor.name, difference: difference, largest: largest, tolerance: tolerance)
            }
        }
        // Noise is asked only where it matters, each time with another draw.
        for _ in 0..<8 where !wrong().isEmpty { try perturb(pass, expected) }
        return wrong()
    }

    /// Runs the reference with noise and keeps what it changes.
    private func perturb(_ pass: Pass, _ expected: [String: [Double]]) throws {
        perturbed += 1
        let perturbation = Perturbation(
            share: Self.noise, draws: FixtureDraws("\(graphCase.seed)/noise/\(perturbed)"))
        let noisy = try run(pass, on: ReferenceDevice(perturbation: perturbation))
        for tensor in noisy {
            let change = Self.difference(tensor.values, expected[tensor.name] ?? [])
            responses[pass, default: [:]][tensor.name, default: 0] = max(
                change, responses[pass]?[tensor.name] ?? 0)
        }
    }

    /// The largest difference of two elements; infinite where one is no number.
    private static func difference(_ x: [Double], _ y: [Double]) -> Double {
        zip(x, y).reduce(0) {
            let difference = abs($1.0 - $1.1)
            return difference.isFinite ? max($0, difference) : .infinity
        }
    }
}
