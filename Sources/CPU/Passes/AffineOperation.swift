import CKernels
import Engine

/// A normalisation and the activation after it, or one of the two, in one pass.
///
/// y = activation((x - mean) scale + shift) with scale = weight / sqrt(variance + epsilon) and shift = bias
/// (Ioffe and Szegedy 2015, algorithm 1). Mean and variance are those of a pool: with batch normalisation a
/// channel of all slots, else a group of channels of one slot. The normalised values are not kept: backward
/// forms them again from x.
final class AffineOperation {
    static let epsilon = 1e-5
    /// Share of a micro-batch's statistics in the running ones.
    static let momentum = 0.1

    let name: String
    private let context: Context
    private let layout: Layout
    private let normalisation: Normalisation?
    private let slope: ParameterArena.Entry?
    let lanes: AffineLanes
    private let voxels: VoxelRuns
    /// Values of other ranks' slots that the next pass waits for.
    private var underWay: (any SlotsUnderWay)?
    /// Of this step: 1 / sqrt(variance + epsilon), [set][channel].
    private var inverseDeviation: [Double] = []

    private struct Normalisation {
        let statistics: Graph.Normalisation.Statistics
        let scale, shift: ParameterArena.Entry
        /// Of batch normalisation: where mean and variance run.
        let mean, variance: ParameterArena.Entry?
    }

    init(
        normalisation: Graph.Normalisation?, activation: Graph.Activation, layout: Layout, context: Context
    ) {
        self.context = context
        self.layout = layout
        voxels = context.voxels(of: layout)
        let (parameters, statistics) = (context.model.parameters, context.model.statistics)
        self.normalisation = normalisation.map {
            Normalisation(
                statistics: $0.statistics, scale: parameters.existing("\($0.name).weight"),
                shift: parameters.existing("\($0.name).bias"),
                mean: statistics.entry(named: "\($0.name).running_mean"),
                variance: statistics.entry(named: "\($0.name).running_variance"))
        }
        var kind = DR_IDENTITY
        var slope: ParameterArena.Entry?
        switch activation {
        case .identity: break
        case .relu: kind = DR_RELU
        case .prelu(let name):
            (kind, slope) = (DR_PRELU, parameters.entry(named: "\(name).slope"))
        }
        self.slope = slope
        name = normalisation?.name ?? slope?.name ?? "activation"
        let isOfSlots = normalisation.map { $0.statistics != .batch } ?? false
        lanes = AffineLanes(
            channels: layout.channels, padded: layout.paddedChannels, sets: isOfSlots ? context.slots : 1,
            activation: kind)
        lanes.setIdentity()
    }

    // MARK: Forward

    /// - Parameters:
    ///   - y: Nil where the reader applies the pass to what it loads.
    ///   - training: Whether batch normalisation takes the batch's statistics, which move the running ones
    ///     where the context says so.
    ///   - sums: Those of x, if the pass that wrote it formed them.
    func forward(x: Tensor, y: Tensor?, training: Bool, sums: ChannelSums?) throws {
        if let normalisation {
            let (mean, variance) =
                switch (normalisation.statistics, normalisation.mean, normalisation.variance) {
                case (.slot(let group), _, _):
                    try slotStatistics(of: x, sums: sums?.values, channelsPerGroup: group)
                case (.batch, .some(let mean), .some(let variance)) where !training:
                    (running(mean), running(variance))
                default: try batchStatistics(of: x, sums: sums?.values, updating: normalisation)
                }
            inverseDeviation = variance.map { 1 / ($0 + Self.epsilon).squareRoot() }
            let (scale, shift) = (parameter(normalisation.scale), parameter(normalisation.shift))
            lanes.set(
                mean: mean,
                scale: inverseDeviation.enumerated().map { scale[$0 % layout.channels] * $1 },
                shift: inverseDeviation.indices.map { shift[$0 % layout.channels] })
        }
        if let slope { lanes.set(slope: parameter(slope)) }
        if let y { apply(x: x, y: y) }
    }

    /// Whether the pass waits for statistics of other slots.
    var poolsSlots: Bool { normalisation?.statistics == .batch }

    /// Starts the exchange of the statistics that `forward` will need, of an x that is written.
    func startForward(x: Tensor, sums: ChannelSums) throws {
        guard context.options.batchStatistics == .global, poolsSlots else { return }
        underWay = try startExchange(moments(of: x, sums: sums.values))
    }

    /// The pass alone, with the statistics of the last `forward`.
    func apply(x: Tensor, y: Tensor) {
        lanes.forward(x: x, y: y, voxels: voxels, threads: context.threads)
    }

    /// The mean and M2 (the sum of squared deviations) of each slot and channel, [slot][channel][2].
    private func moments(of x: Tensor, sums known: [Double]?) -> [Double] {
        let channels = layout.channels
        let perSlot = Double(layout.size.count)
        let sums = known ?? AffineLanes.moments(x: x, voxels: voxels, threads: context.threads)
        var moments = [Double](repeating: 0, count: context.slots * channels * 2)
        for slot in 0..<context.slots {
            for channel in 0..<channels {
                let source = (slot * layout.paddedChannels + channel) * 2
                let target = (slot * channels + channel) * 2
                let mean = sums[source] / perSlot
                moments[target] = mean
                moments[target + 1] = max(0, sums[source + 1] - perSlot * mean * mean)
            }
        }
        return moments
    }

    /// Mean and biased variance of the group of each slot and channel, [slot][channel].
    private func slotStatistics(
        of x: Tensor, sums: [Double]?, channelsPerGroup: Int
    ) throws -> ([Double], [Double]) {
        let all = moments(of: x, sums: sums)
        var (means, variances) = ([Double](), [Double]())
        for group in stride(from: 0, to: all.count / 2, by: channelsPerGroup) {
            let merged = Self.merged(all, of: group..<group + channelsPerGroup, weight: layout.size.count)
            let count = Double(channelsPerGroup * layout.size.count)
            means += Array(repeating: merged.mean, count: channelsPerGroup)
            variances += Array(repeating: merged.m2 / count, count: channelsPerGroup)
        }
        return (means, variances)
    }

    /// Mean and biased variance of each channel; every slot counts as many voxels.
    private func batchStatistics(
        of x: Tensor, sums: [Double]?, updating normalisation: Normalisation
    ) throws -> ([Double], [Double]) {
        let channels = layout.channels
        let all = try underWay?.values() ?? exchanged(moments(of: x, sums: sums))
        underWay = nil
        let slots = all.count / (2 * channels)
        let merged = (0..<channels).map { channel in
            Self.merged(
                all, of: stride(from: channel, to: slots * channels, by: channels), weight: layout.size.count)
        }
        let count = Double(layout.size.count * slots)
        move(normalisation.mean, towards: merged.map(\.mean))
        move(normalisation.variance, towards: merged.map { $0.m2 / max(count - 1, 1) })
        return (merged.map(\.mean), merged.map { $0.m2 / count })
    }

    /// The mean and M2 of a pool of parts that count `weight` voxels each, merged one after the other in
    /// their order (Chan et al. 1983).
    private static func merged(
        _ moments: [Double], of parts: some Sequence<Int>, weight: Int
    ) -> (mean: Double, m2: Double) {
        var (mean, m2, before) = (0.0, 0.0, 0.0)
        for part in parts {
            let difference = moments[part * 2] - mean
            mean += difference / (before + 1)
            m2 += moments[part * 2 + 1] + difference * difference * Double(weight) * before / (before + 1)
            before += 1
        }
        return (mean, m2)
    }

    /// Values of all slots whose statistics are pooled.
    private func exchanged(_ local: [Double]) throws -> [Double] {
        guard context.options.batchStatistics == .global else { return local }
        return try context.exchange.allSlots(
            local, globalSlots: context.options.globalSlots, localSlots: context.slots)
    }

    private func startExchange(_ local: [Double]) throws -> any SlotsUnderWay {
        try context.exchange.startAllSlots(
            local, count: local.count / context.slots * context.options.globalSlots)
    }

    private func move(_ entry: ParameterArena.Entry?, towards values: [Double]) {
        guard let entry, context.movesStatistics else { return }
        context.model.statistics.withUnsafeMutableBuffer { buffer in
            for (index, value) in zip(entry.range, values) {
                buffer[index] = Float((1 - Self.momentum) * Double(buffer[index]) + Self.momentum * value)
            }
        }
    }

    private func running(_ entry: ParameterArena.Entry) -> [Double] {
        context.model.statistics.withUnsafeMutableBuffer { $0[entry.range].map(Double.init) }
    }

    private func parameter(_ entry: ParameterArena.Entry) -> [Double] {
        context.model.parameters.withUnsafeMutableBuffer { $0[entry.range].map(Double.init) }
    }

    // MARK: Backward

    /// With z = (x - mean) scale + shift, dz = dy activation'(z) and n voxels in a pool:
    /// d bias = sum dz, d weight = sum dz (x - mean) / deviation, and
    /// dx = scale dz - (sum of scale dz) / n - (x - mean) / deviation^2 (sum of scale dz (x - mean)) / n,
    /// the sums over the pool.
    ///
    /// - Parameters:
    ///   - dy: The gradient of y; with `known` sums that of z, which has passed the activation.
    ///   - dx: Nil where nothing before needs it.
    ///   - known: [slot][padded channel][sum dz, sum dz (x - mean), sum of dy z over z <= 0].
    func backward(x: Tensor, dy: Tensor, dx: Tensor?, accumulate: Bool, sums known: ChannelSums?) throws {
        var (constant, linear) = ([Double](), [Double]())
        if normalisation != nil || slope != nil {
            let sums =
                known?.values
                ?? lanes.backwardSums(x: x, dy: dy, voxels: voxels, threads: context.threads)
            storeGradients(sums)
            switch normalisation?.statistics {
            case .batch: (constant, linear) = try batchTerms(sums)
            case .slot(let group): (constant, linear) = slotTerms(sums, channelsPerGroup: group)
            case nil: break
            }
        }
        if constant.isEmpty {
            constant = [Double](repeating: 0, count: lanes.scale.count)
            linear = constant
        }
        guard let dx else { return }
        lanes.backward(
            x: x, dy: dy, dx: dx, voxels: voxels, constant: constant, linear: linear, accumulate: accumulate,
            isActivated: known != nil, threads: context.threads)
    }

    /// Starts the exchange of the sums that `backward` will need, of a gradient that is written.
    func startBackward(sums: ChannelSums) throws {
        guard context.options.batchStatistics == .global, poolsSlots else { return }
        underWay = try startExchange(pooledSums(sums.values))
    }

    /// [slot][channel][sum dz, sum dz (x - mean)]
    private func pooledSums(_ sums: [Double]) -> [Double] {
        var pooled: [Double] = []
        for slot in 0..<context.slots {
            for channel in 0..<layout.channels {
                let source = (slot * layout.paddedChannels + channel) * 3
                pooled += [sums[source], sums[source + 1]]
            }
        }
        return pooled
    }

    /// The constant and the factor of x - mean in dx, a channel.
    private func batchTerms(_ sums: [Double]) throws -> ([Double], [Double]) {
        let channels = layout.channels
        let all = try underWay?.values() ?? exchanged(pooledSums(sums))
        underWay = nil
        let slots = all.count / (2 * channels)
        let count = Double(slots * layout.size.count)
        var terms = ([Double](), [Double]())
        for channel in 0..<channels {
            var (sum, product) = (0.0, 0.0)
            for slot in 0..<slots {
                sum += all[(slot * channels + channel) * 2]
                product += all[(slot * channels + channel) * 2 + 1]
            }
            let (scale, inverse) = (lanes.scale[channel], inverseDeviation[channel])
            terms.0.append(-scale * sum / count)
            terms.1.append(-scale * inverse * inverse * product / count)
        }
        return terms
    }

    /// The same a slot and channel.
    private func slotTerms(_ sums: [Double], channelsPerGroup: Int) -> ([Double], [Double]) {
        let channels = layout.channels
        let count = Double(channelsPerGroup * layout.size.count)
        var terms = ([Double](), [Double]())
        for first in stride(from: 0, to: context.slots * channels, by: channelsPerGroup) {
            var (sum, product) = (0.0, 0.0)
            for index in first..<first + channelsPerGroup {
                let source = (index / channels * layout.paddedChannels + index % channels) * 3
                sum += lanes.scale[index] * sums[source]
                product += lanes.scale[index] * sums[source + 1]
            }
            let inverse = inverseDeviation[first]
            terms.0 += Array(repeating: -sum / count, count: channelsPerGroup)
            terms.1 += Array(repeating: -inverse * inverse * product / count, count: channelsPerGroup)
        }
        return terms
    }

    /// - Parameter sums: [slot][padded channel][sum dz, sum dz (x - mean), sum of dy z over z <= 0].
    private func storeGradients(_ sums: [Double]) {
        context.eachGradientShare { slot in
            storeGradients(sums, of: slot.map { $0..<$0 + 1 } ?? 0..<context.slots)
        }
    }

    private func storeGradients(_ sums: [Double], of slots: Range<Int>) {
        let sets = inverseDeviation.count / layout.channels
        context.gradients.withUnsafeMutableBuffer { buffer in
            for channel in 0..<layout.channels {
                var (shift, scale, slopes) = (0.0, 0.0, 0.0)
                for slot in slots {
                    let source = (slot * layout.paddedChannels + channel) * 3
                    shift += sums[source]
                    if sets > 0 {
                        let set = sets > 1 ? slot : 0
                        scale += sums[source + 1] * inverseDeviation[set * layout.channels + channel]
                    }
                    slopes += sums[source + 2]
                }
                if let normalisation {
                    buffer[normalisation.shift.range.lowerBound + channel] = Float(shift)
                    buffer[normalisation.scale.range.lowerBound + channel] = Float(scale)
                }
                if let slope { buffer[slope.range.lowerBound + channel] = Float(slopes) }
            }
        }
    }
}
