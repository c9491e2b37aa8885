import CNIfTI
import Foundation

/// An open NIfTI file: header read, voxels streamed block by block.
///
/// The library's own loader is not used for the voxels, because it turns NaN into 0 without a word.
final class NIfTIInput {
    let path: String
    let geometry: VolumeGeometry
    /// Along x, y, z and what follows.
    let shape: [Int]
    /// Volumes of the geometry, one behind the other.
    let volumes: Int
    private let datatype: NIfTIDatatype
    private let slope: Double
    private let intercept: Double
    private let isSwapped: Bool
    private let dataPath: String
    private let dataOffset: Int
    private let isCompressed: Bool

    /// Reads the header. The corresponding C functions are `nifti_image_read` and `nifti_read_header`.
    /// - Parameter allowsSeries: Whether the file may hold several volumes.
    init(path: String, allowsSeries: Bool = false) throws {
        self.path = path
        _ = quietLibrary
        try NIfTIInput.checkReadable(path)
        guard let image = nifti_image_read(path, 0) else {
            throw NIfTIInput.isDamaged(path) ? NIfTIError.damaged(path: path) : .notNIfTI(path: path)
        }
        defer { nifti_image_free(image) }
        let header = image.pointee
        guard header.nifti_type != NIFTI_FTYPE_ANALYZE, header.nifti_type != NIFTI_FTYPE_ASCII,
            let data = header.iname
        else { throw NIfTIError.notNIfTI(path: path) }
        guard let datatype = NIfTIDatatype(rawValue: header.datatype) else {
            let name = String(cString: nifti_datatype_to_string(header.datatype))
            throw NIfTIError.unsupportedDatatype(path: path, datatype: name)
        }
        self.datatype = datatype
        let shape = NIfTIInput.shape(of: header)
        // No voxel count whose bytes overflow an integer.
        guard shape.allSatisfy({ $0 > 0 }), shape.reduce(1.0, { $0 * Double($1) }) < 1e15,
            allowsSeries || shape.dropFirst(3).allSatisfy({ $0 == 1 })
        else { throw NIfTIError.shape(path: path, shape: shape) }
        volumes = shape.dropFirst(3).reduce(1, *)
        self.shape = shape
        geometry = try VolumeGeometry(image: header, shape: shape, path: path)
        let isScaled = header.scl_slope != 0 && header.scl_slope.isFinite
        slope = isScaled ? header.scl_slope : 1
        intercept = isScaled && header.scl_inter.isFinite ? header.scl_inter : 0
        isSwapped = header.byteorder != nifti_short_order()
        dataPath = String(cString: data)
        dataOffset = Int(header.iname_offset)
        isCompressed = nifti_is_gzfile(data) != 0
        try checkSize()
    }

    private static func shape(of header: nifti_image) -> [Int] {
        withUnsafeBytes(of: header.dim) { bytes in
            bytes.bindMemory(to: Int64.self)[1...max(1, min(Int(header.ndim), 7))].map(Int.init)
        }
    }

    private static func checkReadable(_ path: String) throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw NIfTIError.missing(path: path)
        }
        if isDirectory.boolValue {
            throw NIfTIError.unreadable(
                path: path, reason: "it is a folder, and a .nii or .nii.gz file is expected")
        }
        guard access(path, R_OK) == 0 else {
            throw NIfTIError.unreadable(path: path, reason: String(cString: strerror(errno)).lowercased())
        }
    }

    /// Whether the file is compressed and its very beginning cannot be decompressed. A short stream is checked as a
    /// whole before its first byte is handed out.
    private static func isDamaged(_ path: String) -> Bool {
        guard nifti_is_gzfile(path) != 0 else { return false }
        var handle: znzFile? = znzopen(path, "rb", 1)
        guard let file = handle else { return false }
        defer { Xznzclose(&handle) }
        var first: UInt8 = 0
        return znzread(&first, 1, 1, file) < 0
    }

    /// Voxels of all volumes.
    private var voxels: Int { volumes * geometry.extent.count }

    /// Fills `buffer` with the scaled voxels, [volume][z][y][x].
    func readFloats(into buffer: UnsafeMutableBufferPointer<Float>) throws {
        precondition(
            buffer.count == voxels, "a buffer of \(buffer.count) for \(volumes) x \(geometry.extent)")
        var damaged = 0
        var firstDamaged = 0
        try forEachBlock { start, values in
            for i in 0..<values.count {
                let value = Float(values[i])
                if !value.isFinite {
                    if damaged == 0 { firstDamaged = start + i }
                    damaged += 1
                }
                buffer[start + i] = value
            }
        }
        if damaged > 0 {
            let first = VoxelIndex(offset: firstDamaged % geometry.extent.count, in: geometry.extent)
            throw NIfTIError.nonFinite(path: path, count: damaged, first: first)
        }
    }

    /// Fills `buffer` with class indices, [z][y][x].
    func readLabels(into buffer: UnsafeMutableBufferPointer<UInt8>, classes: Int, merging: LabelMerging)
        throws
    {
        precondition(
            buffer.count == geometry.extent.count, "a buffer of \(buffer.count) for \(geometry.extent)")
        precondition((2...256).contains(classes), "\(classes) classes in a byte")
        // A scaled integer is rarely exact: 8388607 * 1.192093e-7 is a usual way to store 1.
        let tolerance = 1e-3
        var last = Double.nan
        var lastClass: UInt8 = 0
        try forEachBlock { start, values in
            for i in 0..<values.count {
                let value = values[i]
                if value != last {
                    let position = VoxelIndex(offset: start + i, in: self.geometry.extent)
                    guard value.isFinite else {
                        throw NIfTIError.nonFinite(path: self.path, count: 1, first: position)
                    }
                    guard abs(value - value.rounded()) <= tolerance else {
                        throw NIfTIError.fractionalLabel(path: self.path, value: value, position: position)
                    }
                    let label = abs(value) < 1e9 ? merging(Int(value.rounded())) : -1
                    guard (0..<classes).contains(label) else {
                        throw NIfTIError.labelOutsideClasses(
                            path: self.path, value: value.rounded(), position: position, classes: classes)
                    }
                    last = value
                    lastClass = UInt8(label)
                }
                buffer[start + i] = lastClass
            }
        }
    }

    /// Marks the voxels that are greater than 0.5, [z][y][x], and returns their number.
    func readMask(into buffer: UnsafeMutableBufferPointer<Bool>) throws -> Int {
        precondition(
            buffer.count == geometry.extent.count, "a buffer of \(buffer.count) for \(geometry.extent)")
        var inside = 0
        try forEachBlock { start, values in
            for i in 0..<values.count {
                guard values[i].isFinite else {
                    let position = VoxelIndex(offset: start + i, in: self.geometry.extent)
                    throw NIfTIError.nonFinite(path: self.path, count: 1, first: position)
                }
                buffer[start + i] = values[i] > 0.5
                if values[i] > 0.5 { inside += 1 }
            }
        }
        return inside
    }

    /// Hands out the voxels of all volumes in file order, scaled, a block at a time.
    ///
    /// The corresponding C functions are `znzopen`, `znzseek`, `znzread` and `znzclose`.
    private func forEachBlock(_ body: (Int, UnsafeBufferPointer<Double>) throws -> Void) throws {
        let expected = voxels * datatype.bytes
        var handle: znzFile? = znzopen(dataPath, "rb", isCompressed ? 1 : 0)
        guard let file = handle else {
            throw NIfTIError.unreadable(path: dataPath, reason: String(cString: strerror(errno)).lowercased())
        }
        defer { Xznzclose(&handle) }
        guard znzseek(file, off_t(dataOffset), SEEK_SET) >= 0 else {
            throw NIfTIError.truncated(path: path, expectedBytes: expected, foundBytes: 0)
        }
        let blockVoxels = min(1 << 16, voxels)
        let raw = UnsafeMutableRawBufferPointer.allocate(
            byteCount: blockVoxels * datatype.bytes, alignment: 16)
        let values = UnsafeMutableBufferPointer<Double>.allocate(capacity: blockVoxels)
        defer {
            raw.deallocate()
            values.deallocate()
        }
        var start = 0
        while start < voxels {
            let count = min(blockVoxels, voxels - start)
            // A damaged stream reads as -1, which is out of range in any case.
            let read = znzread(raw.baseAddress, 1, count * datatype.bytes, file)
            guard read == count * datatype.bytes else {
                if read < 0 { throw NIfTIError.damaged(path: path) }
                let found = start * datatype.bytes + read
                throw NIfTIError.truncated(path: path, expectedBytes: expected, foundBytes: found)
            }
            let block = UnsafeRawBufferPointer(rebasing: raw[..<read])
            let decoded = UnsafeMutableBufferPointer(rebasing: values[..<count])
            datatype.decode(block, isSwapped: isSwapped, slope: slope, intercept: intercept, into: decoded)
            try body(start, UnsafeBufferPointer(decoded))
            start += count
        }
        // The checksum of a compressed stream is only looked at when its end is.
        var beyond: UInt8 = 0
        if isCompressed, znzread(&beyond, 1, 1, file) < 0 {
            throw NIfTIError.damaged(path: path)
        }
    }

    /// A damaged header can announce terabytes: refuse before room is made for them.
    private func checkSize() throws {
        let expected = voxels * datatype.bytes
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: dataPath),
            let size = attributes[.size] as? Int
        else { throw NIfTIError.missing(path: dataPath) }
        let isTooSmall = isCompressed ? expected / 1032 > size : dataOffset + expected > size
        if isTooSmall {
            let found = isCompressed ? size : max(0, size - dataOffset)
            throw NIfTIError.truncated(path: path, expectedBytes: expected, foundBytes: found)
        }
    }
}

/// The library writes its complaints to standard error unless told not to, once for the process.
private let quietLibrary: Void = nifti_set_debug_level(0)
