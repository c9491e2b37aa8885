import Engine

/// Which operations of a lowered graph become one.
///
/// - An affine pass (normalisation, activation) becomes part of the loads of those who read it, and is never
///   written: ``isDeferred(_:)``.
/// - An addition becomes part of the stores of the convolution before it: ``addition(after:)``.
/// - The sums that a normalisation takes of its input become part of the stores of the convolution that
///   writes it: ``summedValue(of:)``.
/// - In backward, the way through an activation, and the sums that a normalisation takes of the gradient,
///   become part of the stores of a convolution's gradient of its input:
///   ``takesGradientThroughActivation(_:)``.
///
/// Two things are one before: normalisation with the activation after it, and dilation with the layout
/// (``LoweredGraph``). Whether a kernel can load or store in these ways is its ``ConvolutionKind``'s to say.
struct Fusion {
    private let lowered: LoweredGraph
    private let training: Bool
    /// By instruction; nil for what is no convolution.
    private let kinds: [ConvolutionKind?]
    /// By value.
    private let deferred: [Bool]

    init(_ lowered: LoweredGraph, training: Bool, algorithms: AlgorithmChoice) {
        let kinds = lowered.instructions.map { instruction -> ConvolutionKind? in
            guard case .convolution(let c, _, let to) = instruction else { return nil }
            return algorithms.kind(of: c, planar: lowered.layouts[to].planar)
        }
        (self.lowered, self.training, self.kinds) = (lowered, training, kinds)
        deferred = lowered.instructions.indices.map { value in
            guard case .affine = lowered.instructions[value], value != lowered.output else { return false }
            return lowered.readers[value].allSatisfy { reader in
                if case .grid(.maxout, _, _) = lowered.instructions[reader] { return true }
                return kinds[reader]?.appliesAffine == true
            }
        }
    }

    // MARK: Forward

    /// Whether a value is the output of an affine pass that all its readers apply to what they load.
    func isDeferred(_ value: Int) -> Bool { deferred[value] }

    /// What a deferred value is made of: what its affine pass reads; nil for others.
    func source(ofDeferred value: Int) -> Int? {
        guard deferred[value], case .affine(_, _, let from, _) = lowered.instructions[value] else {
            return nil
        }
        return from
    }

    /// The addition that a convolution does while it writes: of a tensor that is there already and whose
    /// channels meet whole blocks.
    func addition(after convolution: Int) -> Int? {
        guard kinds[convolution]?.addsShortcuts == true, lowered.readers[convolution].count == 1,
            let reader = lowered.readers[convolution].first,
            case .add(convolution, let shortcut, _) = lowered.instructions[reader],
            shortcut < convolution, !deferred[shortcut]
        else { return nil }
        let (wide, narrow) = (lowered.layouts[convolution], lowered.layouts[shortcut])
        let first = Shortcut.firstChannel(wide: wide.channels, narrow: narrow.channels)
        return first % wide.block == 0 ? reader : nil
    }

    /// Whether a convolution does this addition.
    func isDoneByConvolution(_ addition: Int) -> Bool {
        guard case .add(let from, _, _) = lowered.instructions[addition] else { return false }
        return kinds[from] != nil && self.addition(after: from) == addition
    }

    /// The value of which a convolution forms the sums of each channel while it writes: its output, or the
    /// sum that it adds up on the way; nil where no normalisation takes them.
    func summedValue(of convolution: Int) -> Int? {
        guard kinds[convolution]?.sumsOutputs == true else { return nil }
        let written = addition(after: convolution) ?? convolution
        let isNormalised = lowered.readers[written].contains {
            guard case .affine(.some(let normalisation), _, _, _) = lowered.instructions[$0] else {
                return false
            }
            return training || normalisation.poolsSlots
        }
        return isNormalised ? written : nil
    }

    /// Whether a convolution forms the sums of a value.
    private func isSummed(_ value: Int) -> Bool {
        if case .add(let from, _, _) = lowered.instructions[value] { return summedValue(of: from) == value }
        return summedValue(of: value) == value
    }

    /// The value whose sums, as a convolution forms them, are those of what an affine pass reads: that, or
    /// what it repeats in another order.
    func summedSource(ofAffine affine: Int) -> Int? {
        guard case .affine(_, _, var source, _) = lowered.instructions[affine] else { return nil }
        while !isSummed(source) {
            guard let original = lowered.original(of: source) else { return nil }
            source = original
        }
        return source
    }

    /// The affine pass that takes the sums of a value, where there is one alone.
    func onlyReader(ofSumsOf value: Int) -> Int? {
        let readers = lowered.instructions.indices.filter { summedSource(ofAffine: $0) == value }
        return readers.count == 1 ? readers[0] : nil
    }

    // MARK: Backward

    /// Whether the convolution that reads a value takes the value's gradient on through the activation before
    /// it: where the value is deferred and has one reader, its gradient is whole when that has written it.
    func takesGradientThroughActivation(_ value: Int) -> Bool {
        guard deferred[value], lowered.readers[value].count == 1, let reader = lowered.readers[value].first
        else { return false }
        return kinds[reader] != nil
    }
}

extension ConvolutionKind {
    /// Whether the kernel applies an affine pass to what it loads.
    var appliesAffine: Bool { self == .winograd }

    /// Whether the kernel adds a shortcut to what it stores.
    var addsShortcuts: Bool { self == .winograd }

    /// Whether the kernel forms sums of its output while it writes.
    var sumsOutputs: Bool { self == .winograd || self == .unfolded }
}
