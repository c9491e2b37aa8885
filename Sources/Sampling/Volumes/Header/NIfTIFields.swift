/// The fields of a NIfTI header as they are stored, nothing of them checked but size and signature.
struct NIfTIFields {
    let layout: NIfTILayout
    let isSwapped: Bool
    /// Whether the signature is that of a header whose voxels lie in another file.
    let isPair: Bool
    /// Whether the bytes behind the signature's name are there that show a transfer as text; NIfTI-1 has
    /// none.
    let hasSoundSignature: Bool
    private let bytes: [UInt8]

    /// - Parameter bytes: the beginning of a file.
    /// - Returns: nil where that is no NIfTI header.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 4 else { return nil }
        let size = bytes[0..<4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard
            let (layout, isSwapped) = [NIfTILayout.first, .second].flatMap({ [($0, false), ($0, true)] })
                .first(where: { size == ($1 ? UInt32($0.byteCount).byteSwapped : UInt32($0.byteCount)) }),
            bytes.count >= layout.byteCount
        else { return nil }
        let name = Array(bytes[layout.signature..<layout.signature + 4])
        let digit = UInt8(ascii: layout == .first ? "1" : "2")
        switch name {
        case [UInt8(ascii: "n"), UInt8(ascii: "+"), digit, 0]: isPair = false
        case [UInt8(ascii: "n"), UInt8(ascii: "i"), digit, 0]: isPair = true
        default: return nil
        }
        hasSoundSignature = layout == .first || Array(bytes[8..<12]) == [13, 10, 26, 10]
        (self.layout, self.isSwapped, self.bytes) = (layout, isSwapped, bytes)
    }

    /// Where the voxels begin.
    var voxelOffset: Double {
        layout == .first
            ? real(layout.voxelOffset) : Double(integers(layout.voxelOffset, size: 8, count: 1)[0])
    }

    var units: Int { layout == .first ? Int(bytes[123]) : integers(500, size: 4, count: 1)[0] }

    /// `descrip`, up to the first byte that is 0.
    var description: String {
        let field = bytes[layout.description..<layout.description + 80]
        return String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// A number of the header's smaller size of integers, or a code.
    func integer(_ offset: Int) -> Int {
        let isCode = offset == layout.qformCode || offset == layout.sformCode
        return integers(offset, size: isCode ? layout.codeSize : 2, count: 1)[0]
    }

    /// Lengths of axes.
    func integers(_ offset: Int, count: Int) -> [Int] {
        integers(offset, size: layout.lengthSize, count: count)
    }

    func real(_ offset: Int) -> Double { reals(offset, count: 1)[0] }

    /// Numbers one behind the other.
    func reals(_ offset: Int, count: Int) -> [Double] {
        (0..<count).map { index in
            let pattern = pattern(offset + index * layout.realSize, size: layout.realSize)
            return layout == .first
                ? Double(Float(bitPattern: UInt32(pattern))) : Double(bitPattern: pattern)
        }
    }

    private func integers(_ offset: Int, size: Int, count: Int) -> [Int] {
        (0..<count).map { index in
            let unused = UInt64(64 - 8 * size)
            return Int(Int64(bitPattern: pattern(offset + index * size, size: size) << unused) >> unused)
        }
    }

    private func pattern(_ offset: Int, size: Int) -> UInt64 {
        let field = bytes[offset..<offset + size]
        return isSwapped
            ? field.reduce(0) { $0 << 8 | UInt64($1) } : field.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Where the fields lie, in bytes.
struct NIfTILayout: Equatable {
    let byteCount: Int
    let signature: Int
    /// The number of axes, then the length of each.
    let dim: Int
    let lengthSize: Int
    let datatype: Int
    let bitpix: Int
    /// The handedness of the quaternion transform, then the distance of voxels along each axis.
    let pixdim: Int
    let realSize: Int
    let voxelOffset: Int
    let slope: Int
    let intercept: Int
    let qformCode: Int
    let sformCode: Int
    let codeSize: Int
    /// Quaternion b, c, d, its offset, and the twelve numbers of the affine transform.
    let quaternion: Int
    /// 80 bytes of text.
    let description: Int

    /// NIfTI-1: 16-bit integers, single precision.
    static let first = NIfTILayout(
        byteCount: 348, signature: 344, dim: 40, lengthSize: 2, datatype: 70, bitpix: 72, pixdim: 76,
        realSize: 4,
        voxelOffset: 108, slope: 112, intercept: 116, qformCode: 252, sformCode: 254, codeSize: 2,
        quaternion: 256,
        description: 148)
    /// NIfTI-2: 64-bit lengths, double precision.
    static let second = NIfTILayout(
        byteCount: 540, signature: 4, dim: 16, lengthSize: 8, datatype: 12, bitpix: 14, pixdim: 104,
        realSize: 8,
        voxelOffset: 168, slope: 176, intercept: 184, qformCode: 344, sformCode: 348, codeSize: 4,
        quaternion: 352,
        description: 240)
}
