import Foundation
import Numerics

/// What a network has learnt: its parameters, their gradients and the running statistics of batch
/// normalisation.
///
/// Training and inference plans of one network share it.
public final class Parameters {
    public let parameters: ParameterArena
    /// Same entries and order as `parameters`.
    public let gradients: ParameterArena
    /// `<name>.running_mean` (initially 0) and `<name>.running_variance` (initially 1).
    public let statistics: ParameterArena

    public init(graph: Graph) {
        let tensors = graph.nodes.reversed().flatMap { Self.tensors(of: $0) }
        parameters = ParameterArena(tensors.filter { !$0.role.isStatistic })
        gradients = ParameterArena(tensors.filter { !$0.role.isStatistic })
        statistics = ParameterArena(tensors.filter { $0.role.isStatistic })
        initialise(seed: 0)
    }

    private static func tensors(of node: Graph.Node) -> [(
        name: String, shape: [Int], role: ParameterArena.Role
    )] {
        switch node.operation {
        case .convolution(_, let c):
            let channels =
                c.transposed ? [c.inputChannels, c.outputChannels] : [c.outputChannels, c.inputChannels]
            let shape = channels + [c.kernel.depth, c.kernel.height, c.kernel.width]
            let role: ParameterArena.Role = c.transposed ? .transposedWeight : .weight
            let bias = ("\(c.name).bias", [c.outputChannels], ParameterArena.Role.bias)
            return [("\(c.name).weight", shape, role)] + (c.bias ? [bias] : [])
        case .normalisation(_, let normalisation):
            let (name, channels) = (normalisation.name, [node.channels])
            let running: [(name: String, shape: [Int], role: ParameterArena.Role)] = [
                ("\(name).running_mean", channels, .runningMean),
                ("\(name).running_variance", channels, .runningVariance),
            ]
            return [("\(name).weight", channels, .scale), ("\(name).bias", channels, .shift)]
                + (normalisation.statistics == .batch ? running : [])
        case .activation(_, let activation):
            return activation.slope.map { [($0, [node.channels], .slope)] } ?? []
        default:
            return []
        }
    }

    /// Sets every value anew: weights He normal (He et al. 2015), a pure function of (seed, name, index).
    public func initialise(seed: UInt64) {
        for arena in [parameters, statistics] {
            arena.withUnsafeMutableBuffer { buffer in
                for entry in arena.entries {
                    switch entry.role {
                    case .weight:
                        fillNormal(
                            buffer, entry, inputs: entry.shape.dropFirst().reduce(1, *), seed: seed)
                    case .transposedWeight:
                        fillNormal(buffer, entry, inputs: entry.shape[0], seed: seed)
                    case .scale, .runningVariance: for index in entry.range { buffer[index] = 1 }
                    case .slope: for index in entry.range { buffer[index] = 0.25 }
                    case .bias, .shift, .runningMean: for index in entry.range { buffer[index] = 0 }
                    }
                }
            }
        }
    }

    private func fillNormal(
        _ buffer: UnsafeMutableBufferPointer<Float>, _ entry: ParameterArena.Entry, inputs: Int, seed: UInt64
    ) {
        let deviation = Double.sqrt(2 / Double(inputs))
        let key = mix(
            seed
                ^ entry.name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        )
        for (offset, index) in entry.range.enumerated() {
            // Box-Muller on two uniform numbers of this element alone.
            let u = unit(mix(key &+ 2 &* UInt64(offset)), openBelow: true)
            let v = unit(mix(key &+ 2 &* UInt64(offset) &+ 1))
            buffer[index] = Float(deviation * Double.sqrt(-2 * Double.log(u)) * Double.cos(2 * .pi * v))
        }
    }
}

extension ParameterArena.Role {
    package var isStatistic: Bool { self == .runningMean || self == .runningVariance }
}

/// The finaliser of SplitMix64: a bijection that scatters neighbouring counters.
package func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
}

/// 53 bits as a number of [0, 1), or of (0, 1].
private func unit(_ bits: UInt64, openBelow: Bool = false) -> Double {
    (Double(bits >> 11) + (openBelow ? 1 : 0)) * 0x1p-53
}
