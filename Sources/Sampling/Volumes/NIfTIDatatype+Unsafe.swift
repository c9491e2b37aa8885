import CNIfTI

/// The types of voxels that can be read; the numbers are NIfTI's.
enum NIfTIDatatype: Int32 {
    case uint8 = 2
    case int16 = 4
    case int32 = 8
    case float32 = 16
    case float64 = 64
    case int8 = 256
    case uint16 = 512
    case uint32 = 768
    case int64 = 1024
    case uint64 = 1280

    var bytes: Int {
        switch self {
        case .uint8, .int8: 1
        case .int16, .uint16: 2
        case .int32, .uint32, .float32: 4
        case .float64, .int64, .uint64: 8
        }
    }

    /// Turns the file's bytes into `slope * value + intercept`.
    func decode(
        _ bytes: UnsafeRawBufferPointer, isSwapped: Bool, slope: Double, intercept: Double,
        into values: UnsafeMutableBufferPointer<Double>
    ) {
        switch self {
        case .uint8: decodeIntegers(UInt8.self, bytes, isSwapped, values)
        case .int8: decodeIntegers(Int8.self, bytes, isSwapped, values)
        case .int16: decodeIntegers(Int16.self, bytes, isSwapped, values)
        case .uint16: decodeIntegers(UInt16.self, bytes, isSwapped, values)
        case .int32: decodeIntegers(Int32.self, bytes, isSwapped, values)
        case .uint32: decodeIntegers(UInt32.self, bytes, isSwapped, values)
        case .int64: decodeIntegers(Int64.self, bytes, isSwapped, values)
        case .uint64: decodeIntegers(UInt64.self, bytes, isSwapped, values)
        case .float32:
            for i in 0..<values.count {
                let pattern = bytes.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)
                values[i] = Double(Float(bitPattern: isSwapped ? pattern.byteSwapped : pattern))
            }
        case .float64:
            for i in 0..<values.count {
                let pattern = bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)
                values[i] = Double(bitPattern: isSwapped ? pattern.byteSwapped : pattern)
            }
        }
        if slope == 1, intercept == 0 { return }
        for i in 0..<values.count {
            values[i] = values[i] * slope + intercept
        }
    }
}

private func decodeIntegers<T: FixedWidthInteger>(
    _ type: T.Type, _ bytes: UnsafeRawBufferPointer, _ isSwapped: Bool,
    _ values: UnsafeMutableBufferPointer<Double>
) {
    let stride = MemoryLayout<T>.size
    for i in 0..<values.count {
        let value = bytes.loadUnaligned(fromByteOffset: stride * i, as: type)
        values[i] = Double(isSwapped ? value.byteSwapped : value)
    }
}
