import CZlib

/// What zlib does with bytes.
enum ZlibStream {
    /// A whole zlib stream (RFC 1950) of the bytes, as small as zlib makes it. The corresponding C function
    /// is `compress2`.
    static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        var length = compressBound(uLong(bytes.count))
        return [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, count in
            let status = compress2(buffer.baseAddress, &length, bytes, uLong(bytes.count), Z_BEST_COMPRESSION)
            precondition(status == Z_OK, "compress2 gave \(status) for \(bytes.count) bytes")
            count = Int(length)
        }
    }

    /// The check value by which PNG tells damage. The corresponding C function is `crc32`.
    static func checkValue(_ bytes: [UInt8]) -> UInt32 { UInt32(crc32(0, bytes, uInt(bytes.count))) }
}
