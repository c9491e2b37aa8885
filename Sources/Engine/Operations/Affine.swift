import CKernels

/// Batch normalisation and the activation after it, or one of the two, in one pass.
///
/// y = activation((x - mean) scale + shift) with scale = weight / sqrt(variance + epsilon) and shift = bias
/// (Ioffe and Szegedy 2015, algorithm 1). The normalised values are not kept: backward forms them again from x.
final class AffineOperation {
    static let epsilon = 1e-5
    /// Share of a step's statistics in the running ones.
    static let momentum = 0.1

    let name: String
    private let context: Context
    private let layout: Layout
    private let normalization: Normalization?
    private let slope: ParameterArena.Entry?
    let lanes: AffineLanes
    private let voxels: VoxelRuns
    /// Of this step: 1 / sqrt(variance + epsilon) a channel.
    private var inverseDeviation: [Double] = []

    private struct Normalization {
        let scale, shift: ParameterArena.Entry
        let mean, variance: ParameterArena.Entry
    }

    init(normalization: String?, activation: Graph.Activation, layout: Layout, context: Context) {
        self.context = context
        self.layout = layout
        voxels = context.voxels(of: layout)
        let arenas = (context.model.parameters, context.model.statistics)
        self.normalization = normalization.flatMap { name in
            guard let scale = arenas.0.entry(named: "\(name).weight"),
                let shift = arenas.0.entry(named: "\(name).bias"),
                let mean = arenas.1.entry(named: "\(name).running_mean"),
                let variance = arenas.1.entry(named: "\(name).running_variance")
            else { preconditionFailure("\(name) has no parameters") }
            return Normalization(scale: scale, shift: shift, mean: mean, variance: variance)
        }
        var kind = DR_IDENTITY
        var slope: ParameterArena.Entry?
        switch activation {
        case .identity: break
        case .relu: kind = DR_RELU
        case .prelu(let name):
            (kind, slope) = (DR_PRELU, context.model.parameters.entry(named: "\(name).slope"))
        }
        self.slope = slope
        name = normalization ?? slope?.name ?? "activation"
        lanes = AffineLanes(channels: layout.channels, padded: layout.paddedChannels, activation: kind)
        lanes.setIdentity()
    }

    // MARK: Forward

    /// - Parameters:
    ///   - y: Nil where the reader applies the pass to what it loads.
    ///   - training: Whether the statistics are the batch's, which then move the running ones.
    ///   - sums: Those of x, if the pass that wrote it formed them.
    func forward(x: Tensor, y: Tensor?, training: Bool, sums: ChannelSums?) throws {
        if let normalization {
            let (mean, variance) =
                training
                ? try batchStatistics(of: x, sums: sums?.values, updating: normalization)
                : (running(normalization.mean), running(normalization.variance))
            inverseDeviation = variance.map { 1 / ($0 + Self.epsilon).squareRoot() }
            let (scale, shift) = (parameter(normalization.scale), parameter(normalization.shift))
            lanes.set(mean: mean, scale: zip(scale, inverseDeviation).map(*), shift: shift)
        }
        if let slope { lanes.set(slope: parameter(slope)) }
        if let y { apply(x: x, y: y) }
    }

    /// The pass alone, with the statistics of the last `forward`.
    func apply(x: Tensor, y: Tensor) {
        lanes.forward(x: x, y: y, voxels: voxels, threads: context.threads)
    }

    /// Mean and biased variance of each channel; every slot counts as many voxels.
    ///
    /// Each slot's mean and M2 (the sum of squared deviations) are merged pairwise in slot order (Chan et al. 1983).
    private func batchStatistics(
        of x: Tensor, sums known: [Double]?, updating normalization: Normalization
    ) throws -> ([Double], [Double]) {
        let channels = layout.channels
        let perSlot = Double(layout.size.count)
        let sums = known ?? AffineLanes.moments(x: x, voxels: voxels, threads: context.threads)
        var local = [Double](repeating: 0, count: context.slots * channels * 2)
        for slot in 0..<context.slots {
            for channel in 0..<channels {
                let source = (slot * layout.paddedChannels + channel) * 2
                let target = (slot * channels + channel) * 2
                let mean = sums[source] / perSlot
                local[target] = mean
                local[target + 1] = max(0, sums[source + 1] - perSlot * mean * mean)
            }
        }
        let all = try exchanged(local)
        let slots = all.count / (2 * channels)
        var mean = [Double](repeating: 0, count: channels)
        var m2 = mean
        for slot in 0..<slots {
            for channel in 0..<channels {
                let index = (slot * channels + channel) * 2
                let before = Double(slot)
                let after = Double(slot + 1)
                let difference = all[index] - mean[channel]
                mean[channel] += difference / after
                m2[channel] += all[index + 1] + difference * difference * perSlot * before / after
            }
        }
        let count = perSlot * Double(slots)
        move(normalization.mean, towards: mean)
        move(normalization.variance, towards: m2.map { $0 / max(count - 1, 1) })
        return (mean, m2.map { $0 / count })
    }

    /// Values of all slots whose statistics are pooled.
    private func exchanged(_ local: [Double]) throws -> [Double] {
        guard context.batchStatistics == .global else { return local }
        return try context.exchange.allSlots(
            local, globalSlots: context.globalSlots, localSlots: context.slots)
    }

    private func move(_ entry: ParameterArena.Entry, towards values: [Double]) {
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

    /// With z = (x - mean) scale + shift, dz = dy activation'(z) and n voxels of all slots:
    /// d bias = sum dz, d weight = sum dz (x - mean) / deviation, and
    /// dx = scale (dz - sum dz / n - (x - mean) / deviation^2 sum dz (x - mean) / n).
    ///
    /// - Parameters:
    ///   - dy: The gradient of y; with `known` sums that of z, which has passed the activation.
    ///   - dx: Nil where nothing before needs it.
    ///   - known: [slot][padded channel][sum dz, sum dz (x - mean), sum of dy z over z <= 0].
    func backward(x: Tensor, dy: Tensor, dx: Tensor?, accumulate: Bool, sums known: ChannelSums?) throws {
        let channels = layout.channels
        var constant = [Double](repeating: 0, count: channels)
        var linear = constant
        if normalization != nil || slope != nil {
            let sums =
                known?.values
                ?? lanes.backwardSums(x: x, dy: dy, voxels: voxels, threads: context.threads)
            var local = [Double](repeating: 0, count: context.slots * channels * 2)
            var own = [Double](repeating: 0, count: channels * 3)
            for slot in 0..<context.slots {
                for channel in 0..<channels {
                    let source = (slot * layout.paddedChannels + channel) * 3
                    let target = (slot * channels + channel) * 2
                    (local[target], local[target + 1]) = (sums[source], sums[source + 1])
                    for k in 0..<3 { own[channel * 3 + k] += sums[source + k] }
                }
            }
            storeGradients(own)
            if normalization != nil {
                let all = try exchanged(local)
                let slots = all.count / (2 * channels)
                let count = Double(slots * layout.size.count)
                let scale = lanes.scale
                for channel in 0..<channels {
                    var (sum, product) = (0.0, 0.0)
                    for slot in 0..<slots {
                        sum += all[(slot * channels + channel) * 2]
                        product += all[(slot * channels + channel) * 2 + 1]
                    }
                    constant[channel] = -scale[channel] * sum / count
                    let inverse = inverseDeviation[channel]
                    linear[channel] = -scale[channel] * inverse * inverse * product / count
                }
            }
        }
        guard let dx else { return }
        lanes.backward(
            x: x, dy: dy, dx: dx, voxels: voxels, constant: constant, linear: linear, accumulate: accumulate,
            isActivated: known != nil, threads: context.threads)
    }

    private func storeGradients(_ sums: [Double]) {
        context.model.gradients.withUnsafeMutableBuffer { buffer in
            for channel in 0..<layout.channels {
                if let normalization {
                    buffer[normalization.shift.range.lowerBound + channel] = Float(sums[channel * 3])
                    buffer[normalization.scale.range.lowerBound + channel] =
                        Float(sums[channel * 3 + 1] * inverseDeviation[channel])
                }
                if let slope { buffer[slope.range.lowerBound + channel] = Float(sums[channel * 3 + 2]) }
            }
        }
    }
}
