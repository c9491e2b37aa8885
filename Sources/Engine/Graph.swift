/// A network as a value: the operations on an image, declared in the order in which they run.
///
/// A graph knows channels but no sizes; `Plan` compiles it for one patch size.
public struct Graph: Hashable, Sendable {
    /// The result of an operation.
    public struct Value: Hashable, Sendable {
        let index: Int
    }

    /// What a convolution does at the edge: zeros around the image keep its size, or the image shrinks.
    public enum Padding: String, Hashable, Sendable { case same, valid }

    enum Activation: Hashable, Sendable {
        case identity, relu
        case prelu(name: String)
    }

    enum Operation: Hashable, Sendable {
        case input
        case convolution(Value, Convolution)
        case batchNormalization(Value, name: String)
        case activation(Value, Activation)
        case add(Value, shortcut: Value)
        case crop(Value, border: Int)
        case subsample(Value, step: Int)
        case upsample(Value, factor: Int)
        case concatenate([Value])

        /// The values that the operation reads.
        var inputs: [Value] {
            switch self {
            case .input: return []
            case .convolution(let x, _), .batchNormalization(let x, _), .activation(let x, _),
                .crop(let x, _), .subsample(let x, _), .upsample(let x, _):
                return [x]
            case .add(let x, let shortcut): return [x, shortcut]
            case .concatenate(let values): return values
            }
        }
    }

    struct Convolution: Hashable, Sendable {
        var name: String
        var inputChannels, outputChannels: Int
        var kernel: Size3
        var dilation: Int
        var padding: Padding
        var bias: Bool

        /// Zeros on either side of an axis.
        func zeros(_ axis: Int) -> Int { padding == .same ? dilation * (kernel[axis] - 1) / 2 : 0 }

        /// n + 2 zeros - dilation (kernel - 1), an axis.
        func outputSize(_ input: Size3) -> Size3 {
            input.map { input[$0] + 2 * zeros($0) - dilation * (kernel[$0] - 1) }
        }
    }

    struct Node: Hashable, Sendable {
        var operation: Operation
        var channels: Int
    }

    private(set) var nodes: [Node]
    /// The logits, one channel a class.
    public private(set) var output: Value?

    public init(inputChannels: Int) {
        precondition(inputChannels > 0, "a network needs input channels, not \(inputChannels)")
        nodes = [Node(operation: .input, channels: inputChannels)]
    }

    /// The image patch.
    public var input: Value { Value(index: 0) }

    public func channels(of value: Value) -> Int { nodes[value.index].channels }

    private mutating func append(_ operation: Operation, channels: Int) -> Value {
        nodes.append(Node(operation: operation, channels: channels))
        return Value(index: nodes.count - 1)
    }

    /// A convolution with stride 1.
    ///
    /// - Parameters:
    ///   - name: Its parameters are `name.weight` [channels, channels of x, kernel] and, with `bias`, `name.bias`.
    ///     The weights start He normal: zero mean, standard deviation sqrt(2 / (inputs a voxel)).
    ///   - dilation: The step between the voxels under the kernel, on the axes where the kernel is longer than 1.
    /// - Returns: `channels` channels; an axis of n voxels keeps n with `.same`, else n - dilation (kernel - 1).
    public mutating func convolution(
        _ x: Value, name: String, channels: Int, kernel: Size3, dilation: Int = 1, padding: Padding = .same,
        bias: Bool = false
    ) -> Value {
        precondition(channels > 0 && dilation > 0, "\(name): \(channels) channels, dilation \(dilation)")
        precondition(
            padding == .valid || (0..<3).allSatisfy { kernel[$0] % 2 == 1 },
            "\(name): a kernel of \(kernel) has no middle")
        let convolution = Convolution(
            name: name, inputChannels: self.channels(of: x), outputChannels: channels, kernel: kernel,
            dilation: kernel.count == 1 ? 1 : dilation, padding: padding, bias: bias)
        return append(.convolution(x, convolution), channels: channels)
    }

    /// Batch normalisation (Ioffe and Szegedy 2015): zero mean and unit variance a channel over slots and voxels, then
    /// `name.weight` (initially 1) and `name.bias` (initially 0). Epsilon 1e-5; running statistics move by 0.1 a step.
    public mutating func batchNormalization(_ x: Value, name: String) -> Value {
        append(.batchNormalization(x, name: name), channels: channels(of: x))
    }

    /// max(x, 0).
    public mutating func relu(_ x: Value) -> Value {
        append(.activation(x, .relu), channels: channels(of: x))
    }

    /// x where x > 0, else slope x, with a learnt slope a channel, `name.slope`, initially 0.25 (He et al. 2015).
    public mutating func prelu(_ x: Value, name: String) -> Value {
        append(.activation(x, .prelu(name: name)), channels: channels(of: x))
    }

    /// x + shortcut. A shortcut of fewer channels is padded with zero channels on both sides, the smaller half in front.
    public mutating func add(_ x: Value, shortcut: Value) -> Value {
        let (wide, narrow) = (channels(of: x), channels(of: shortcut))
        precondition(narrow <= wide, "a shortcut of \(narrow) channels does not fit into \(wide)")
        return append(.add(x, shortcut: shortcut), channels: wide)
    }

    /// The image without `border` voxels on both sides of each axis that is longer than 1.
    public mutating func crop(_ x: Value, border: Int) -> Value {
        precondition(border >= 0, "a border of \(border) voxels")
        return border == 0 ? x : append(.crop(x, border: border), channels: channels(of: x))
    }

    /// Every `step`-th voxel of each axis that is longer than 1, the middle one of each run of `step`; its length must
    /// be a multiple of `step`.
    public mutating func subsample(_ x: Value, step: Int) -> Value {
        precondition(step > 0 && step % 2 == 1, "runs of \(step) voxels have no middle")
        return step == 1 ? x : append(.subsample(x, step: step), channels: channels(of: x))
    }

    /// Each voxel `factor` times along each axis; an axis of one voxel that is the whole image's stays.
    public mutating func upsample(_ x: Value, factor: Int) -> Value {
        precondition(factor > 0, "a factor of \(factor)")
        return factor == 1 ? x : append(.upsample(x, factor: factor), channels: channels(of: x))
    }

    /// The channels of all values, one after the other. They must be of one size.
    public mutating func concatenate(_ values: [Value]) -> Value {
        precondition(!values.isEmpty, "nothing to concatenate")
        return append(.concatenate(values), channels: values.reduce(0) { $0 + channels(of: $1) })
    }

    /// Declares the logits.
    public mutating func setOutput(_ x: Value) { output = x }
}
