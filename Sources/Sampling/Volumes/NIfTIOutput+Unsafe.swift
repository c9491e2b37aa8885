import CNIfTI
import Foundation

/// Writes one volume as a NIfTI file that appears whole or not at all.
enum NIfTIOutput {
    /// - Throws: `NIfTIError.notWritten`.
    static func write<Element: BitwiseCopyable>(
        _ voxels: [Element], geometry: VolumeGeometry, datatype: NIfTIDatatype,
        description: String = VolumeHeader.mark, to path: String
    ) throws {
        precondition(
            voxels.count == geometry.extent.count, "\(voxels.count) voxels for \(geometry.extent.xyz)")
        precondition(MemoryLayout<Element>.stride == datatype.bytes, "\(Element.self) written as \(datatype)")
        let isCompressed = path.hasSuffix(".gz")
        let unfinished = path + ".\(getpid()).unfinished"
        var isFinished = false
        defer { if !isFinished { unlink(unfinished) } }
        errno = 0
        var handle: znzFile? = znzopen(unfinished, "wb", isCompressed ? 1 : 0)
        guard let file = handle else { throw failure(path) }
        var isWritten = put(headerBytes(geometry, datatype, description), file)
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
            guard znzwrite(part.baseAddress, 1, part.count, file) == part.count else {
                return false
            }
            start += part.count
        }
        return true
    }

    /// Header and the four bytes that say that no extension follows.
    private static func headerBytes(
        _ geometry: VolumeGeometry, _ datatype: NIfTIDatatype, _ description: String
    ) -> [UInt8] {
        let extent = geometry.extent
        let isNIfTI2 = geometry.isNIfTI2 || max(extent.width, extent.height, extent.depth) > Int(Int16.max)
        let header =
            isNIfTI2
            ? geometry.nifti2Header(datatype: datatype, description: description)
            : geometry.nifti1Header(datatype: datatype, description: description)
        return header + [0, 0, 0, 0]
    }
}
