import CNIfTI
import Geometry

extension VolumeGeometry {
    /// The geometry of a file. Transforms whose code is 0 are kept too, so that they can be written again.
    init(_ header: NIfTIHeader) {
        let sizes = header.shape.prefix(3) + Array(repeating: 1, count: max(0, 3 - header.shape.count))
        self.init(
            extent: Size3(sizes[2], sizes[1], sizes[0]), spacing: header.spacing, origin: .zero)
        units = header.units
        qformCode = header.qformCode
        quaternion = header.quaternion
        quaternionOffset = header.quaternionOffset
        qfac = header.qfac
        qform = header.qform
        sformCode = header.sformCode
        sform = header.sform
        isNIfTI2 = header.isNIfTI2
    }

    /// A whole NIfTI-1 header for a volume of this geometry, in this machine's byte order.
    func nifti1Header(datatype: NIfTIDatatype, description: String) -> [UInt8] {
        var header = nifti_1_header()
        header.sizeof_hdr = 348
        header.regular = CChar(UInt8(ascii: "r"))
        header.dim = (3, Int16(extent.width), Int16(extent.height), Int16(extent.depth), 1, 1, 1, 1)
        header.datatype = Int16(datatype.rawValue)
        header.bitpix = Int16(8 * datatype.bytes)
        header.pixdim = (Float(qfac), Float(spacing.x), Float(spacing.y), Float(spacing.z), 1, 1, 1, 1)
        header.vox_offset = 352
        header.xyzt_units = CChar(truncatingIfNeeded: units)
        header.qform_code = Int16(qformCode)
        header.sform_code = Int16(sformCode)
        (header.quatern_b, header.quatern_c, header.quatern_d) =
            (Float(quaternion.x), Float(quaternion.y), Float(quaternion.z))
        (header.qoffset_x, header.qoffset_y, header.qoffset_z) =
            (Float(quaternionOffset.x), Float(quaternionOffset.y), Float(quaternionOffset.z))
        let rows = sform.rows.map { SIMD4<Float>($0) }
        header.srow_x = (rows[0].x, rows[0].y, rows[0].z, rows[0].w)
        header.srow_y = (rows[1].x, rows[1].y, rows[1].z, rows[1].w)
        header.srow_z = (rows[2].x, rows[2].y, rows[2].z, rows[2].w)
        header.magic = (CChar(UInt8(ascii: "n")), CChar(UInt8(ascii: "+")), CChar(UInt8(ascii: "1")), 0)
        withUnsafeMutableBytes(of: &header.descrip) { put(description, $0) }
        return withUnsafeBytes(of: header) { Array($0.prefix(348)) }
    }

    /// A whole NIfTI-2 header for a volume of this geometry, in this machine's byte order.
    func nifti2Header(datatype: NIfTIDatatype, description: String) -> [UInt8] {
        var header = nifti_2_header()
        header.sizeof_hdr = 540
        header.dim = (3, Int64(extent.width), Int64(extent.height), Int64(extent.depth), 1, 1, 1, 1)
        header.datatype = Int16(datatype.rawValue)
        header.bitpix = Int16(8 * datatype.bytes)
        header.pixdim = (qfac, spacing.x, spacing.y, spacing.z, 1, 1, 1, 1)
        header.vox_offset = 544
        header.xyzt_units = Int32(units)
        header.qform_code = Int32(qformCode)
        header.sform_code = Int32(sformCode)
        (header.quatern_b, header.quatern_c, header.quatern_d) = (quaternion.x, quaternion.y, quaternion.z)
        (header.qoffset_x, header.qoffset_y, header.qoffset_z) =
            (quaternionOffset.x, quaternionOffset.y, quaternionOffset.z)
        let rows = sform.rows
        header.srow_x = (rows[0].x, rows[0].y, rows[0].z, rows[0].w)
        header.srow_y = (rows[1].x, rows[1].y, rows[1].z, rows[1].w)
        header.srow_z = (rows[2].x, rows[2].y, rows[2].z, rows[2].w)
        let magic: [UInt8] = [0x6E, 0x2B, 0x32, 0, 0x0D, 0x0A, 0x1A, 0x0A]
        withUnsafeMutableBytes(of: &header.magic) { $0.copyBytes(from: magic) }
        withUnsafeMutableBytes(of: &header.descrip) { put(description, $0) }
        return withUnsafeBytes(of: header) { Array($0.prefix(540)) }
    }
}

/// Puts a text into a field of the header that ends with a 0.
private func put(_ text: String, _ field: UnsafeMutableRawBufferPointer) {
    precondition(text.utf8.count < field.count, "'\(text)' is too long for \(field.count) bytes")
    field.copyBytes(from: Array(text.utf8))
}
