import Geometry

/// A network as a value: the operations on an image, declared in the order in which they run.
///
/// A graph knows channels but no sizes; `Plan` compiles it for one patch size.
public struct Graph: Hashable, Sendable {
    /// The result of an operation.
    public struct Value: Hashable, Sendable {
        package let index: Int
    }

    /// What a convolution does at the edge: zeros around the image keep its size, or the image shrinks.
    public enum Padding: String, Hashable, Sendable { case same, valid }

    package enum Activation: Hashable, Sendable {
        case identity, relu
        case prelu(name: String)

        /// The name of its parameter, a slope a channel; nil where it has none to learn.
        package var slope: String? {
            switch self {
            case .identity, .relu: nil
            case .prelu(let name): "\(name).slope"
            }
        }
    }

    package enum Operation: Hashable, Sendable {
        case input
        case convolution(Value, Convolution)
        case normalisation(Value, Normalisation)
        case activation(Value, Activation)
        case add(Value, shortcut: Value)
        case crop(Value, before: Int, after: Int)
        case subsample(Value, step: Int)
        case upsample(Value, factor: Int)
        case concatenate([Value])
        case maxPool(Value, Pooling)
        case maxout(Value, pieces: Int)
        case dropout(Value, Dropout)

        /// The values that the operation reads.
        package var inputs: [Value] {
            switch self {
            case .input: return []
            case .convolution(let x, _), .normalisation(let x, _), .activation(let x, _),
                .crop(let x, _, _), .subsample(let x, _), .upsample(let x, _), .maxPool(let x, _),
                .maxout(let x, _), .dropout(let x, _):
                return [x]
            case .add(let x, let shortcut): return [x, shortcut]
            case .concatenate(let values): return values
            }
        }
    }

    package struct Convolution: Hashable, Sendable {
        package var name: String
        package var inputChannels, outputChannels: Int
        package var kernel: Size3
        package var dilation: Int
        package var padding: Padding
        package var bias: Bool
        /// Whether it is the transpose of a convolution whose stride is its kernel: each voxel becomes
        /// `kernel` ones.
        package var transposed = false

        /// Zeros on either side of an axis.
        package func zeros(_ axis: Int) -> Int { padding == .same ? dilation * (kernel[axis] - 1) / 2 : 0 }

        /// n + 2 zeros - dilation (kernel - 1), an axis; transposed n kernel.
        package func outputSize(_ input: Size3) -> Size3 {
            Size3 {
                transposed
                    ? input[$0] * kernel[$0] : input[$0] + 2 * zeros($0) - dilation * (kernel[$0] - 1)
            }
        }

        /// Of the direct sum from `input` to `output` voxels, a multiplication and an addition counted as
        /// two.
        package func operations(input: Size3, output: Size3) -> Int {
            2 * inputChannels * outputChannels * kernel.count * (transposed ? input : output).count
        }
    }

    /// Zero mean and unit variance, then a scale and a shift a channel.
    package struct Normalisation: Hashable, Sendable {
        package enum Statistics: Hashable, Sendable {
            /// A channel over slots and voxels, with running statistics for inference.
            case batch
            /// Groups of so many channels over the voxels of a slot, in inference too; one channel a group is
            /// instance normalisation.
            case slot(channelsPerGroup: Int)
        }

        package var name: String
        package var statistics: Statistics
    }

    /// The maximum over windows that lie in the image as a whole.
    package struct Pooling: Hashable, Sendable {
        package var window: Size3
        package var stride: Size3

        package func outputSize(_ input: Size3) -> Size3 {
            Size3 { input[$0] < window[$0] ? 0 : (input[$0] - window[$0]) / stride[$0] + 1 }
        }
    }

    package struct Dropout: Hashable, Sendable {
        /// The share of values that become 0.
        package var rate: Double
        /// Tells the dropouts of a graph apart.
        package var stream: Int
    }

    package struct Node: Hashable, Sendable {
        package var operation: Operation
        package var channels: Int
    }

    package private(set) var nodes: [Node]
    /// The logits, one channel a class.
    public private(set) var output: Value?

    public init(inputChannels: Int) {
        precondition(inputChannels > 0, "a network needs input channels, not \(inputChannels)")
        nodes = [Node(operation: .input, channels: inputChannels)]
    }

    /// The image patch.
    public var input: Value { Value(index: 0) }

    public func channels(of value: Value) -> Int { nodes[value.index].channels }

    package mutating func append(_ operation: Operation, channels: Int) -> Value {
        nodes.append(Node(operation: operation, channels: channels))
        return Value(index: nodes.count - 1)
    }

    /// A convolution with stride 1.
    ///
    /// - Parameters:
    ///   - name: Its parameters are `name.weight` [channels, channels of x, kernel] and, with `bias`,
    ///     `name.bias`. The weights start He normal: zero mean, standard deviation sqrt(2 / (inputs a
    ///     voxel)).
    ///   - dilation: The step between the voxels under the kernel, on the axes where the kernel is longer
    ///     than 1.
    /// - Returns: `channels` channels; an axis of n voxels keeps n with `.same`, else n - dilation (kernel -
    ///   1).
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

    /// Each voxel as `kernel` voxels, with weights of their own: the transpose of a convolution whose stride
    /// is its kernel.
    ///
    /// `name.weight` is [channels of x, channels, kernel], He normal for as many inputs as x has channels.
    /// - Returns: `channels` channels; an axis of n voxels becomes n kernel.
    public mutating func transposedConvolution(
        _ x: Value, name: String, channels: Int, kernel: Size3
    ) -> Value {
        precondition(channels > 0 && (0..<3).allSatisfy { kernel[$0] > 0 }, "\(name): \(channels), \(kernel)")
        let convolution = Convolution(
            name: name, inputChannels: self.channels(of: x), outputChannels: channels, kernel: kernel,
            dilation: 1, padding: .valid, bias: false, transposed: true)
        return append(.convolution(x, convolution), channels: channels)
    }

    /// Declares the logits.
    public mutating func setOutput(_ x: Value) { output = x }
}
