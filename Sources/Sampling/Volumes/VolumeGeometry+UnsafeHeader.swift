import CNIfTI

extension VolumeGeometry {
    /// The geometry of a file.
    ///
    /// What the library has worked out is taken from `image`, and what it leaves out where a code is 0 from the header
    /// itself, so that it can be written again.
    /// - Parameter shape: Along x, y, z and what follows.
    init(image: nifti_image, shape: [Int], path: String) throws {
        let sizes = shape.prefix(3) + Array(repeating: 1, count: max(0, 3 - shape.count))
        self.init(
            extent: Extent(sizes[2], sizes[1], sizes[0]), spacing: SIMD3(image.dx, image.dy, image.dz),
            origin: .zero)
        qformCode = Int(image.qform_code)
        sformCode = Int(image.sform_code)
        qform = Affine(rows: [row(image.qto_xyz.m.0), row(image.qto_xyz.m.1), row(image.qto_xyz.m.2)])

        var version: Int32 = 0
        guard let header = nifti_read_header(path, &version, 0) else { throw NIfTIError.notNIfTI(path: path) }
        defer { free(header) }
        if image.byteorder != nifti_short_order() { swap_nifti_header(header, version) }
        if version == 2 {
            take(header.assumingMemoryBound(to: nifti_2_header.self).pointee)
        } else {
            take(header.assumingMemoryBound(to: nifti_1_header.self).pointee)
        }
    }

    private mutating func take(_ header: nifti_1_header) {
        isNIfTI2 = false
        units = Int(UInt8(bitPattern: header.xyzt_units))
        quaternion = SIMD3<Double>(SIMD3(header.quatern_b, header.quatern_c, header.quatern_d))
        quaternionOffset = SIMD3<Double>(SIMD3(header.qoffset_x, header.qoffset_y, header.qoffset_z))
        qfac = Double(header.pixdim.0)
        sform = Affine(rows: [row(header.srow_x), row(header.srow_y), row(header.srow_z)])
    }

    private mutating func take(_ header: nifti_2_header) {
        isNIfTI2 = true
        units = Int(header.xyzt_units)
        quaternion = SIMD3(header.quatern_b, header.quatern_c, header.quatern_d)
        quaternionOffset = SIMD3(header.qoffset_x, header.qoffset_y, header.qoffset_z)
        qfac = header.pixdim.0
        sform = Affine(rows: [row(header.srow_x), row(header.srow_y), row(header.srow_z)])
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

private func row(_ numbers: (Double, Double, Double, Double)) -> SIMD4<Double> {
    SIMD4(numbers.0, numbers.1, numbers.2, numbers.3)
}

private func row(_ numbers: (Float, Float, Float, Float)) -> SIMD4<Double> {
    SIMD4<Double>(SIMD4(numbers.0, numbers.1, numbers.2, numbers.3))
}
