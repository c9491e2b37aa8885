extension Graph {
    /// Batch normalisation (Ioffe and Szegedy 2015): zero mean and unit variance a channel over slots and
    /// voxels, then `name.weight` (initially 1) and `name.bias` (initially 0). Epsilon 1e-5; running
    /// statistics move by 0.1 a micro-batch.
    public mutating func batchNormalisation(_ x: Value, name: String) -> Value {
        append(.normalisation(x, Normalisation(name: name, statistics: .batch)), channels: channels(of: x))
    }

    /// Instance normalisation (Ulyanov et al. 2016): as batch normalisation, a slot at a time, in inference
    /// too; no running statistics.
    public mutating func instanceNormalisation(_ x: Value, name: String) -> Value {
        append(
            .normalisation(x, Normalisation(name: name, statistics: .slot(channelsPerGroup: 1))),
            channels: channels(of: x))
    }

    /// Group normalisation (Wu and He 2018): as instance normalisation, over `groups` groups of neighbouring
    /// channels; their number must be a multiple of `groups`.
    public mutating func groupNormalisation(_ x: Value, name: String, groups: Int) -> Value {
        let count = channels(of: x)
        precondition(groups > 0 && count % groups == 0, "\(name): \(count) channels in \(groups) groups")
        return append(
            .normalisation(x, Normalisation(name: name, statistics: .slot(channelsPerGroup: count / groups))),
            channels: count)
    }

    /// max(x, 0).
    public mutating func relu(_ x: Value) -> Value {
        append(.activation(x, .relu), channels: channels(of: x))
    }

    /// x where x > 0, else slope x, with a learnt slope a channel, `name.slope`, initially 0.25 (He et al.
    /// 2015).
    public mutating func prelu(_ x: Value, name: String) -> Value {
        append(.activation(x, .prelu(name: name)), channels: channels(of: x))
    }

    /// x + shortcut. A shortcut of fewer channels is padded with zero channels on both sides, the smaller
    /// half in front.
    public mutating func add(_ x: Value, shortcut: Value) -> Value {
        let (wide, narrow) = (channels(of: x), channels(of: shortcut))
        precondition(narrow <= wide, "a shortcut of \(narrow) channels does not fit into \(wide)")
        return append(.add(x, shortcut: shortcut), channels: wide)
    }

    /// The largest of `pieces` values (Goodfellow et al. 2013): with n channels out, channel c is the maximum
    /// of c, c + n, c + 2 n, ...
    public mutating func maxout(_ x: Value, pieces: Int) -> Value {
        let count = channels(of: x)
        precondition(pieces > 0 && count % pieces == 0, "\(count) channels in \(pieces) pieces")
        return pieces == 1 ? x : append(.maxout(x, pieces: pieces), channels: count / pieces)
    }

    /// In training, zero for a share `rate` of the values and the others divided by 1 - rate (Srivastava et
    /// al. 2014).
    ///
    /// Which ones follows from the seed, the step, the slot, the channel and the voxel alone.
    public mutating func dropout(_ x: Value, rate: Double) -> Value {
        precondition(0 <= rate && rate < 1, "a dropout rate of \(rate)")
        guard rate > 0 else { return x }
        let stream = nodes.count
        return append(.dropout(x, Dropout(rate: rate, stream: stream)), channels: channels(of: x))
    }
}
