import CNIfTI
import Foundation

/// Writes one volume as a NIfTI file that appears whole or not at all.
enum NIfTIOutput {
    /// - Throws: `NIfTIError.notWritten`.
    static func write<Element: BitwiseCopyable>(
        _ voxels: [Element], geometry: VolumeGeometry, datatype: NIfTIDatatype, to path: String
    ) throws {
        precondition(voxels.count == geometry.extent.count, "\(voxels.count) voxels for \(geometry.extent)")
        precondition(MemoryLayout<Element>.stride == datatype.bytes, "\(Element.self) written as \(datatype)")
        let isCompressed = path.hasSuffix(".gz")
        let unfinished = path + ".\(getpid()).unfinished"
        var isFinished = false
        defer { if !isFinished { unlink(unfinished) } }
        errno = 0
        var handle: znzFile? = znzopen(unfinished, "wb", isCompressed ? 1 : 0)
        guard let file = handle else { throw failure(path) }
        // The header comes first; without one, the open file still has to be closed.
        defer { if handle != nil { Xznzclose(&handle) } }
        var isWritten = put(try headerBytes(geometry: geometry, datatype: datatype, path: path), file)
        isWritten = isWritten && voxels.withUnsafeBytes { put($0, file) }
        // Closing flushes the compressor, so a full disk may show only here.
        let isClosed = Xznzclose(&handle) == 0
        guard isWritten, isClosed else { throw failure(path) }
        let descriptor = open(unfinished, O_RDONLY)
        guard descriptor >= 0 else { throw failure(path) }
        let isSynced = fsync(descriptor) == 0
        close(descriptor)
        guard isSynced, rename(unfinished, path) == 0 else { throw failure(path) }
        isFinished = true
    }

    private static func failure(_ path: String) -> NIfTIError {
        let reason = errno == 0 ? "not all bytes were taken" : String(cString: strerror(errno)).lowercased()
        return .notWritten(path: path, reason: reason)
    }

    private static func put(_ bytes: [UInt8], _ file: znzFile) -> Bool {
        bytes.withUnsafeBytes { put($0, file) }
    }

    private static func put(_ bytes: UnsafeRawBufferPointer, _ file: znzFile) -> Bool {
        var start = 0
        while start < bytes.count {
            let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + (1 << 20), bytes.count)])
            guard Int(bitPattern: UInt(znzwrite(part.baseAddress, 1, part.count, file))) == part.count else {
                return false
            }
            start += part.count
        }
        return true
    }

    /// Header and the four bytes that say that no extension follows.
    ///
    /// The corresponding C functions are `nifti_convert_nim2n1hdr` and `nifti_convert_nim2n2hdr`.
    private static func headerBytes(
        geometry: VolumeGeometry, datatype: NIfTIDatatype, path: String
    ) throws -> [UInt8] {
        let extent = geometry.extent
        let dimensions = [3, extent.width, extent.height, extent.depth, 1, 1, 1, 1].map(Int64.init)
        guard let image = nifti_make_new_nim(dimensions, datatype.rawValue, 0) else {
            throw NIfTIError.notWritten(path: path, reason: "the library refuses a volume of \(extent)")
        }
        defer { nifti_image_free(image) }
        let isNIfTI2 = geometry.isNIfTI2 || max(extent.width, extent.height, extent.depth) > Int(Int16.max)
        image.pointee.nifti_type = isNIfTI2 ? NIFTI_FTYPE_NIFTI2_1 : NIFTI_FTYPE_NIFTI1_1
        image.pointee.iname_offset = isNIfTI2 ? 544 : 352
        geometry.fill(&image.pointee)
        let bytes: [UInt8]
        if isNIfTI2 {
            var header = nifti_2_header()
            guard nifti_convert_nim2n2hdr(image, &header) == 0 else { throw failure(path) }
            bytes = withUnsafeBytes(of: header) { Array($0.prefix(540)) }
        } else {
            var header = nifti_1_header()
            guard nifti_convert_nim2n1hdr(image, &header) == 0 else { throw failure(path) }
            bytes = withUnsafeBytes(of: header) { Array($0.prefix(348)) }
        }
        return bytes + [0, 0, 0, 0]
    }
}

extension VolumeGeometry {
    fileprivate func fill(_ image: inout nifti_image) {
        image.dx = spacing.x
        image.dy = spacing.y
        image.dz = spacing.z
        image.pixdim.1 = spacing.x
        image.pixdim.2 = spacing.y
        image.pixdim.3 = spacing.z
        image.xyz_units = Int32(spatialUnits)
        image.qform_code = Int32(qformCode)
        image.quatern_b = quaternion.x
        image.quatern_c = quaternion.y
        image.quatern_d = quaternion.z
        image.qoffset_x = quaternionOffset.x
        image.qoffset_y = quaternionOffset.y
        image.qoffset_z = quaternionOffset.z
        image.qfac = qfac
        image.sform_code = Int32(sformCode)
        withUnsafeMutableBytes(of: &image.sto_xyz) { bytes in
            let matrix = bytes.bindMemory(to: Double.self)
            for row in 0..<3 {
                for column in 0..<4 { matrix[4 * row + column] = sform.rows[row][column] }
            }
            for column in 0..<4 { matrix[12 + column] = column == 3 ? 1 : 0 }
        }
    }
}
