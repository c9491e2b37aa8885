import Engine

/// A named part of a flat float32 array.
public struct NamedSlice: Sendable, Equatable {
    public let name: String
    public let shape: [Int]
    /// Where its elements lie, row-major.
    public let range: Range<Int>

    public init(name: String, shape: [Int], range: Range<Int>) {
        self.name = name
        self.shape = shape
        self.range = range
    }
}

extension Checkpoint {
    /// The tensors of `slices`, one after the other as the flat array of that layout.
    /// - Parameter prefix: what stands before the slices' names, such as `adam.m/`.
    /// - Throws: ``CheckpointError/otherTensor(path:tensor:found:expected:)`` for the first that is missing
    ///   or has another type or shape.
    public func values(of slices: [NamedSlice], prefix: String = "", path: String) throws -> [Float] {
        var values = [Float](repeating: 0, count: slices.map(\.range.upperBound).max() ?? 0)
        let byName = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
        for slice in slices {
            let name = prefix + slice.name
            let tensor = byName[name]
            guard let tensor, tensor.shape == slice.shape, let floats = tensor.floats else {
                let found = tensor.map { "of type \($0.type.rawValue) and shape \($0.shape)" } ?? "missing"
                throw CheckpointError.otherTensor(
                    path: path, tensor: name, found: found, expected: "of type F32 and shape \(slice.shape)")
            }
            values.replaceSubrange(slice.range, with: floats)
        }
        return values
    }

    /// Checks that it holds the tensors named and no others.
    /// - Throws: ``CheckpointError/otherTensor(path:tensor:found:expected:)`` for the first one too many.
    public func checkNames(_ names: Set<String>, path: String) throws(CheckpointError) {
        if let tensor = tensors.first(where: { !names.contains($0.name) }) {
            throw .otherTensor(
                path: path, tensor: tensor.name, found: "of shape \(tensor.shape)", expected: "missing")
        }
    }
}

extension [NamedSlice] {
    /// The parts of a flat array as tensors.
    public func tensors(of values: [Float], prefix: String = "") -> [SafetensorsFile.Tensor] {
        map { slice in
            SafetensorsFile.Tensor(
                name: prefix + slice.name, shape: slice.shape, values: [Float](values[slice.range]))
        }
    }
}

extension ParameterArena {
    /// Its tensors.
    public var slices: [NamedSlice] {
        entries.map { NamedSlice(name: $0.name, shape: $0.shape, range: $0.range) }
    }
}
