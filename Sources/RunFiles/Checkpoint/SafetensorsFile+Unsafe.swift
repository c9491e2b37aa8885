extension SafetensorsFile.Tensor {
    /// A float32 tensor.
    /// - Precondition: `values` has as many elements as `shape`, and the host is little endian, as all that
    ///   this program runs on are.
    public init(name: String, shape: [Int], values: [Float]) {
        precondition(1.littleEndian == 1, "a big-endian host would write swapped bytes")
        self.init(name: name, type: .float32, shape: shape, bytes: values.withUnsafeBytes { [UInt8]($0) })
    }

    /// The elements of a float32 tensor; nil for other types.
    public var floats: [Float]? {
        guard type == .float32 else { return nil }
        precondition(1.littleEndian == 1, "a big-endian host would read swapped bytes")
        let size = bytes.count / 4
        return [Float](unsafeUninitializedCapacity: size) { values, count in
            UnsafeMutableRawBufferPointer(values).copyBytes(from: bytes)
            count = size
        }
    }
}
