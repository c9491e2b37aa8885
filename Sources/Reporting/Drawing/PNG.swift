import Foundation

/// Small PNG files: 8-bit grey.
enum PNG {
    /// - Parameter pixels: `width * height`, rows from the top; 0 is black.
    static func grey(_ pixels: [UInt8], width: Int, height: Int) -> [UInt8] {
        precondition(pixels.count == width * height, "\(pixels.count) pixels for \(width) x \(height)")
        var rows: [UInt8] = []
        rows.reserveCapacity(pixels.count + height)
        for row in 0..<height {
            // Filter 2: less the pixel above, which leaves little of smooth images.
            rows.append(2)
            for index in row * width..<(row + 1) * width {
                rows.append(row == 0 ? pixels[index] : pixels[index] &- pixels[index - width])
            }
        }
        // Bits a sample, grey, then the methods of compression, filter and interlace.
        let header = bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, 0, 0, 0, 0]
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", header) + chunk("IDAT", ZlibStream.compressed(rows)) + chunk("IEND", [])
    }

    static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + data
        return bigEndian(UInt32(data.count)) + body + bigEndian(ZlibStream.checkValue(body))
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(value >> UInt32($0) & 255) }
    }
}
