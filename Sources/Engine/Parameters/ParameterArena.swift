/// A flat run of float32 with a named view for each tensor.
///
/// Parameters and their gradients lie in the order in which backward completes them, the last layer first: a
/// reduction bucket is a range, the optimiser one flat pass, a checkpoint a list of named slices.
public final class ParameterArena {
    public enum Role: String, Sendable, Hashable {
        case weight, transposedWeight, bias, scale, shift, slope, runningMean, runningVariance
    }

    /// A tensor of the arena.
    public struct Entry: Sendable, Hashable {
        /// Such as "block_1.convolution_2.weight".
        public let name: String
        /// Convolution weights are [out, in, depth, height, width], those of transposed ones [in, out, ...];
        /// everything else is [channels].
        public let shape: [Int]
        /// Its elements, in row-major order.
        public let range: Range<Int>
        public let role: Role
    }

    public let entries: [Entry]
    /// Elements of all entries together.
    public let count: Int
    private let indices: [String: Int]
    package let storage: FloatStorage

    package init(_ tensors: [(name: String, shape: [Int], role: Role)]) {
        var entries: [Entry] = []
        var start = 0
        for tensor in tensors {
            let end = start + tensor.shape.reduce(1, *)
            entries.append(
                Entry(name: tensor.name, shape: tensor.shape, range: start..<end, role: tensor.role))
            start = end
        }
        self.entries = entries
        count = start
        indices = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
        storage = FloatStorage(count: start)
    }

    /// An arena with the same entries.
    public convenience init(like other: ParameterArena) {
        self.init(other.entries.map { (name: $0.name, shape: $0.shape, role: $0.role) })
    }

    public func entry(named name: String) -> Entry? { indices[name].map { entries[$0] } }

    package func existing(_ name: String) -> Entry {
        guard let entry = entry(named: name) else { preconditionFailure("no tensor is named \(name)") }
        return entry
    }

    /// A copy of the tensor of that name; setting it copies in, and needs as many elements.
    public subscript(name: String) -> [Float] {
        get {
            let entry = existing(name)
            return withUnsafeMutableBuffer { Array($0[entry.range]) }
        }
        set {
            let entry = existing(name)
            precondition(
                newValue.count == entry.range.count,
                "\(name) has \(entry.range.count) elements, not \(newValue.count)")
            withUnsafeMutableBuffer { buffer in
                for (index, value) in zip(entry.range, newValue) { buffer[index] = value }
            }
        }
    }
}
