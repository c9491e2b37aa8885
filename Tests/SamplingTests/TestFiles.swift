import Foundation
import Geometry

@testable import Sampling

/// A folder of its own, removed with the last reference.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/sampling-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { path + "/" + name }

    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }

    func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }

    func bytes(of name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name))))
    }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
}

/// A NIfTI file put together byte by byte, so that reading is checked against the standard and not against
/// the writer.
struct HandmadeNIfTI {
    var version = 1
    var isBigEndian = false
    var dimensions = [3, 2, 1]
    var datatype: Int16 = 16
    var bitsPerVoxel: Int16 = 32
    var slope = 0.0
    var intercept = 0.0
    var qformCode = 0
    var sformCode = 2
    var rows: [[Double]] = [[-2, 0, 0, 10], [0, 3, 0, -20], [0, 0, 4, -30]]
    var quaternion = [0.0, 1, 0]
    var quaternionOffset = [10.0, -20, -30]
    var qfac = -1.0
    var pixdim = [2.0, 3, 4]
    /// `xyzt_units`: millimetres and seconds.
    var units: UInt8 = 10
    var description = ""
    var voxels: [UInt8] = []

    /// Number of bytes before the voxels.
    var headerLength: Int { version == 1 ? 352 : 544 }

    private func encode<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: isBigEndian ? value.bigEndian : value.littleEndian) { Array($0) }
    }

    /// A number of the header: float in version 1, double in version 2.
    private func real(_ value: Double) -> [UInt8] {
        version == 1 ? encode(Float(value).bitPattern) : encode(value.bitPattern)
    }

    mutating func append<T: FixedWidthInteger>(_ value: T) { voxels += encode(value) }
    mutating func append(_ value: Float) { voxels += encode(value.bitPattern) }
    mutating func append(_ value: Double) { voxels += encode(value.bitPattern) }

    /// Appends a voxel of the file's own type.
    mutating func appendConverted(_ value: Double) {
        switch datatype {
        case 2: append(UInt8(value))
        case 256: append(Int8(value))
        case 4: append(Int16(value))
        case 512: append(UInt16(value))
        case 8: append(Int32(value))
        case 768: append(UInt32(value))
        case 1024: append(Int64(value))
        case 1280: append(UInt64(value))
        case 16: append(Float(value))
        default: append(value)
        }
    }

    var bytes: [UInt8] {
        var header = [UInt8](repeating: 0, count: headerLength)
        func put(_ field: [UInt8], at offset: Int) {
            header.replaceSubrange(offset..<offset + field.count, with: field)
        }
        let isFirst = version == 1
        let wide = isFirst ? 4 : 8
        put(encode(Int32(isFirst ? 348 : 540)), at: 0)
        for (i, length) in ([dimensions.count] + dimensions).enumerated() {
            put(
                isFirst ? encode(Int16(length)) : encode(Int64(length)), at: isFirst ? 40 + 2 * i : 16 + 8 * i
            )
        }
        put(encode(datatype), at: isFirst ? 70 : 12)
        put(encode(bitsPerVoxel), at: isFirst ? 72 : 14)
        for (i, length) in ([qfac] + pixdim + [1]).enumerated() {
            put(real(length), at: (isFirst ? 76 : 104) + wide * i)
        }
        put(isFirst ? encode(Float(352).bitPattern) : encode(Int64(544)), at: isFirst ? 108 : 168)
        put(real(slope), at: isFirst ? 112 : 176)
        put(real(intercept), at: isFirst ? 116 : 184)
        put(isFirst ? [units] : encode(Int32(units)), at: isFirst ? 123 : 500)
        put(Array(description.utf8), at: isFirst ? 148 : 240)
        put(isFirst ? encode(Int16(qformCode)) : encode(Int32(qformCode)), at: isFirst ? 252 : 344)
        put(isFirst ? encode(Int16(sformCode)) : encode(Int32(sformCode)), at: isFirst ? 254 : 348)
        for (i, value) in (quaternion + quaternionOffset + rows.flatMap { $0 }).enumerated() {
            put(real(value), at: (isFirst ? 256 : 352) + wide * i)
        }
        put(isFirst ? Array("n+1\0".utf8) : Array("n+2\0".utf8) + [13, 10, 26, 10], at: isFirst ? 344 : 4)
        return header + voxels
    }
}

/// A geometry of 1 mm voxels for tests that do not look at it.
func plainGeometry(_ extent: Size3) -> VolumeGeometry {
    VolumeGeometry(extent: extent, spacing: SIMD3(1, 1, 1), origin: .zero)
}
