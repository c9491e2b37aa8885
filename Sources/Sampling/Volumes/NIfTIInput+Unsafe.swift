import CNIfTI
import Foundation
import Geometry

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
    /// The header's `descrip`.
    let description: String
    private let datatype: NIfTIDatatype
    private let slope: Double
    private let intercept: Double
    private let isSwapped: Bool
    private let dataPath: String
    private let dataOffset: Int
    private let isCompressed: Bool

    /// Reads the header.
    /// - Parameter allowsSeries: Whether the file may hold several volumes.
    init(path: String, allowsSeries: Bool = false) throws {
        self.path = path
        let names = NIfTINames(path)
        try NIfTIInput.checkReadable(path)
        guard FileManager.default.fileExists(atPath: names.header) else {
            throw NIfTIError.otherHalfMissing(path: path, missing: names.header)
        }
        try NIfTIInput.checkReadable(names.header)
        let header = try NIfTIHeader(NIfTIInput.beginning(of: names.header, path: path), path: path)
        dataPath = header.isPair ? try names.image(path) : names.header
        try NIfTIInput.checkReadable(dataPath)
        datatype = header.datatype
        shape = header.shape
        guard allowsSeries || shape.dropFirst(3).allSatisfy({ $0 == 1 }) else {
            throw NIfTIError.shape(path: path, shape: shape)
        }
        volumes = shape.dropFirst(3).reduce(1, *)
        description = header.description
        geometry = VolumeGeometry(header)
        (slope, intercept) = (header.slope, header.intercept)
        isSwapped = header.isSwapped
        dataOffset = header.dataOffset
        isCompressed = try NIfTIInput.isCompressed(dataPath)
        try checkSize()
    }

    /// The first bytes of a file, decompressed.
    private static func beginning(of header: String, path: String) throws -> [UInt8] {
        var handle: znzFile? = znzopen(header, "rb", try isCompressed(header) ? 1 : 0)
        guard let file = handle else {
            throw NIfTIError.unreadable(path: header, reason: String(cString: strerror(errno)).lowercased())
        }
        defer { Xznzclose(&handle) }
        var bytes = [UInt8](repeating: 0, count: NIfTIHeader.longestByteCount)
        let read = znzread(&bytes, 1, bytes.count, file)
        // A short stream is checked as a whole before its first byte is handed out.
        guard read >= 0 else { throw NIfTIError.damaged(path: path) }
        // Of a pair, the header is a file of its own, which nobody reads on in.
        if NIfTINames.isHeader(header), try isCompressed(header), !isWhole(closing: &handle) {
            throw NIfTIError.damaged(path: path)
        }
        return Array(bytes.prefix(read))
    }

    /// Whether a file begins as gzip's do, whatever its name.
    private static func isCompressed(_ path: String) throws -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw NIfTIError.unreadable(path: path, reason: String(cString: strerror(errno)).lowercased())
        }
        defer { try? file.close() }
        return try file.read(upToCount: 2) == Data([0x1F, 0x8B])
    }

    private static func checkReadable(_ path: String) throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            if let link = DanglingLink(at: path) { throw link }
            throw NIfTIError.missing(path: path)
        }
        if isDirectory.boolValue {
            throw NIfTIError.unreadable(
                path: path, reason: "it is a folder, and a .nii or .nii.gz file is expected")
        }
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            // A pipe would be waited for.
            throw NIfTIError.unreadable(path: path, reason: "it is no regular file")
        }
        guard access(path, R_OK) == 0 else {
            throw NIfTIError.unreadable(path: path, reason: String(cString: strerror(errno)).lowercased())
        }
    }

    /// Voxels of all volumes.
    private var voxels: Int { volumes * geometry.extent.count }

    /// Fills `buffer` with the scaled voxels, [volume][z][y][x].
    func readFloats(into buffer: UnsafeMutableBufferPointer<Float>) throws {
        precondition(
            buffer.count == voxels, "a buffer of \(buffer.count) for \(volumes) x \(geometry.extent.xyz)")
        var damaged = NonFiniteVoxels()
        try forEachBlock { start, values in
            for i in 0..<values.count {
                let value = Float(values[i])
                if !value.isFinite { damaged.add(start + i) }
                buffer[start + i] = value
            }
        }
        try refuse(damaged)
    }

    /// Voxels that are NaN or infinite.
    private struct NonFiniteVoxels {
        var count = 0
        var first = 0

        mutating func add(_ offset: Int) {
            if count == 0 { first = offset }
            count += 1
        }
    }

    private func refuse(_ voxels: NonFiniteVoxels) throws(NIfTIError) {
        guard voxels.count > 0 else { return }
        let first = VoxelIndex(offset: voxels.first % geometry.extent.count, in: geometry.extent)
        throw .nonFinite(path: path, count: voxels.count, first: first)
    }

    /// Fills `buffer` with class indices, [z][y][x].
    func readLabels(into buffer: UnsafeMutableBufferPointer<UInt8>, classes: Int, merging: LabelMerging)
        throws
    {
        precondition(
            buffer.count == geometry.extent.count, "a buffer of \(buffer.count) for \(geometry.extent.xyz)")
        precondition((2...256).contains(classes), "\(classes) classes in a byte")
        try forEachLabel { start, labels, values in
            var last: Int?
            var lastClass: UInt8 = 0
            for i in labels.indices {
                if labels[i] != last {
                    last = labels[i]
                    switch merging.destination(of: labels[i], classes: classes) {
                    case .class(let index): lastClass = UInt8(index)
                    case .noClass:
                        throw NIfTIError.labelOutsideClasses(
                            path: self.path, value: values[i].rounded(), position: self.position(start + i),
                            classes: classes)
                    case .unnamed(let sources):
                        throw NIfTIError.labelNotMerged(
                            path: self.path, label: labels[i], position: self.position(start + i),
                            sources: sources)
                    }
                }
                buffer[start + i] = lastClass
            }
        }
    }

    /// Voxels of each label, as the file has them.
    func countLabels() throws -> [Int: Int] {
        var voxels: [Int: Int] = [:]
        try forEachLabel { _, labels, _ in
            var start = 0
            for i in labels.indices where i + 1 == labels.count || labels[i + 1] != labels[i] {
                voxels[labels[i], default: 0] += i + 1 - start
                start = i + 1
            }
        }
        return voxels
    }

    private func position(_ offset: Int) -> VoxelIndex {
        VoxelIndex(offset: offset % geometry.extent.count, in: geometry.extent)
    }

    /// Hands out the voxels as whole numbers and as they were stored, a block at a time, up to the first that
    /// is not finite; the others of that kind are counted, then the file is refused.
    private func forEachLabel(
        _ body: (Int, [Int], UnsafeBufferPointer<Double>) throws -> Void
    ) throws {
        // A scaled integer is rarely exact: 8388607 * 1.192093e-7 is a usual way to store 1.
        let tolerance = 1e-3
        var damaged = NonFiniteVoxels()
        try forEachBlock { start, values in
            var last = Double.nan
            var label = 0
            let labels = try values.indices.map { i in
                let value = values[i]
                guard value.isFinite else {
                    damaged.add(start + i)
                    return 0
                }
                if value != last, damaged.count == 0 {
                    guard abs(value - value.rounded()) <= tolerance else {
                        throw NIfTIError.fractionalLabel(
                            path: self.path, value: value, position: self.position(start + i))
                    }
                    // No larger number is a label; it stays one that no class has.
                    label = Int(min(max(value.rounded(), -1e15), 1e15))
                    last = value
                }
                return label
            }
            if damaged.count == 0 { try body(start, labels, values) }
        }
        try refuse(damaged)
    }

    /// Marks the voxels that are greater than 0.5, [z][y][x], and returns their number.
    func readMask(into buffer: UnsafeMutableBufferPointer<Bool>) throws -> Int {
        precondition(
            buffer.count == geometry.extent.count, "a buffer of \(buffer.count) for \(geometry.extent.xyz)")
        var inside = 0
        var damaged = NonFiniteVoxels()
        try forEachBlock { start, values in
            for i in 0..<values.count {
                if !values[i].isFinite { damaged.add(start + i) }
                buffer[start + i] = values[i] > 0.5
                if values[i] > 0.5 { inside += 1 }
            }
        }
        try refuse(damaged)
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
        guard !isCompressed || NIfTIInput.isWhole(closing: &handle) else {
            throw NIfTIError.damaged(path: path)
        }
    }

    /// Reads a compressed stream to its end and closes it: its checksum is only looked at there, and a
    /// damaged stream can have more bytes than it should.
    /// - Returns: Whether the end is there and the checksum is right.
    private static func isWhole(closing handle: inout znzFile?) -> Bool {
        guard let file = handle else { return false }
        var rest = [UInt8](repeating: 0, count: 1 << 16)
        var read = 0
        repeat { read = znzread(&rest, 1, rest.count, file) } while read > 0
        // A stream without an end is told by closing it.
        let status = Xznzclose(&handle)
        return read == 0 && status == 0
    }

    /// Reads all voxels and keeps none.
    /// - Throws: `NIfTIError` where the file is cut or damaged.
    func readThrough() throws { try forEachBlock { _, _ in } }

    /// Reads all voxels and keeps their digest.
    /// - Throws: As ``readThrough()``.
    func digest() throws -> VoxelDigest {
        var digest = VoxelDigest()
        try forEachBlock { _, values in
            for value in values { digest.add(Float(value)) }
        }
        return digest
    }

    /// Finds a compressed file that is cut, in most cases without reading it: gzip ends with the size of what
    /// it has compressed, modulo 2^32. A file whose end says something else is read through, since streams of
    /// several members and bytes behind the last voxel are allowed.
    /// - Throws: As ``readThrough()``.
    func checkWhole() throws {
        guard isCompressed else { return }
        let expected = UInt32(truncatingIfNeeded: dataOffset + voxels * datatype.bytes)
        guard let file = FileHandle(forReadingAtPath: dataPath) else { return try readThrough() }
        defer { try? file.close() }
        let size = (try? file.seekToEnd()) ?? 0
        guard size >= 4, (try? file.seek(toOffset: size - 4)) != nil, let end = try? file.read(upToCount: 4),
            end.reversed().reduce(UInt32(0), { $0 << 8 | UInt32($1) }) == expected
        else { return try readThrough() }
    }

    /// A damaged header can announce terabytes: refuse before room is made for them.
    private func checkSize() throws {
        let expected = voxels * datatype.bytes
        // Of the file that a link leads to, not of the link.
        var status = stat()
        guard stat(dataPath, &status) == 0 else {
            if let link = DanglingLink(at: dataPath) { throw link }
            throw NIfTIError.missing(path: dataPath)
        }
        let size = Int(status.st_size)
        let isTooSmall = isCompressed ? expected / 1032 > size : dataOffset + expected > size
        if isTooSmall {
            let found = isCompressed ? size : max(0, size - dataOffset)
            throw NIfTIError.truncated(path: path, expectedBytes: expected, foundBytes: found)
        }
        // A compressed file can hold what it announces, a thousand times its size, and hardly ever does.
        if isCompressed, expected > 1 << 28, expected / 100 > size { try forEachBlock { _, _ in } }
    }
}
