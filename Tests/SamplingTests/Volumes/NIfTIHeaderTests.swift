import Foundation
import Testing

@testable import Sampling

/// Headers that contradict themselves or the standard are refused, each with what is wrong, and sound ones
/// that tools write differently are read.
@Suite struct NIfTIHeaderTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private static func file(_ version: Int = 1, _ change: (inout HandmadeNIfTI) -> Void = { _ in })
        -> HandmadeNIfTI
    {
        var file = HandmadeNIfTI(version: version, datatype: 2, bitsPerVoxel: 8)
        file.voxels = [1, 2, 3, 4, 5, 6]
        change(&file)
        return file
    }

    private static func put(_ field: [UInt8], at offset: Int, in bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes.replaceSubrange(offset..<offset + field.count, with: field)
        return bytes
    }

    private static func bytes(_ value: Float) -> [UInt8] {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
    }

    static let faults: [(bytes: [UInt8], fault: String)] = [
        (put([8, 0], at: 40, in: file().bytes), "it announces 8 dimensions, and 1 to 7 are expected"),
        (file { $0.dimensions = [3, -2, 1] }.bytes, "it announces 3 x -2 x 1 voxels"),
        (file { $0.dimensions = [3, 0, 1] }.bytes, "it announces 3 x 0 x 1 voxels"),
        (
            file(2) { $0.dimensions = [1 << 40, 1 << 40, 1 << 40] }.bytes,
            "it announces 1099511627776 x 1099511627776 x 1099511627776 voxels"
        ),
        (file { $0.datatype = 77 }.bytes, "its datatype is 77, which NIfTI does not define"),
        (
            file { $0.datatype = 16 }.bytes,
            "its voxels are of type float32, which has 32 bits, and of 8 bits"
        ),
        (put(bytes(.nan), at: 108, in: file().bytes), "its voxels begin at byte nan (vox_offset)"),
        (put(bytes(1e30), at: 108, in: file().bytes), "its voxels begin at byte 1e+30 (vox_offset)"),
        (put(bytes(100), at: 108, in: file().bytes), "its voxels begin at byte 100 (vox_offset)"),
        (
            file { ($0.slope, $0.intercept) = (.infinity, 0) }.bytes,
            "it scales voxels by inf (scl_slope) and adds 0 (scl_inter)"
        ),
        (
            file { ($0.slope, $0.intercept) = (2, .nan) }.bytes,
            "it scales voxels by 2 (scl_slope) and adds nan (scl_inter)"
        ),
        (put(bytes(.infinity), at: 84, in: file().bytes), "its voxels lie inf apart along y (pixdim)"),
        (put(bytes(1e-30), at: 80, in: file().bytes), "its voxels lie 1e-30 apart along x (pixdim)"),
        (file { $0.rows[1][3] = -.infinity }.bytes, "its sform transform holds -inf"),
        (file { $0.rows[0][0] = 1e30 }.bytes, "its sform transform holds 1e+30"),
        (
            file { $0.rows[2] = $0.rows[1] }.bytes,
            "its sform transform puts all voxels onto a plane or a line (its determinant is 0)"
        ),
        (
            file { ($0.qformCode, $0.quaternionOffset) = (1, [.nan, 0, 0]) }.bytes,
            "its qform transform holds nan"
        ),
        (
            file { ($0.qformCode, $0.quaternion) = (1, [0, 3, 0]) }.bytes,
            "its qform is no turn: the squares of its quaternion add up to 9"
        ),
        (
            file { $0.sformCode = -1 }.bytes,
            "its codes of units and transforms (xyzt_units 10, qform_code 0, sform_code -1) are negative or too large"
        ),
        (
            put([10], at: 8, in: file(2).bytes),
            "the line ends of its signature are changed, as by a transfer of text; transfer it as binary"
        ),
        (
            put(Array("ni1".utf8), at: 344, in: file().bytes),
            "it says that the voxels lie in a file .img, and its name does not end in .hdr"
        ),
    ]

    @Test(arguments: faults) func eachFaultIsNamed(bytes: [UInt8], fault: String) throws {
        let path = try folder.write(bytes, to: "a.nii")
        let error = #expect(throws: NIfTIError.self) { try Volume(reading: path) }
        #expect(error?.description == "\(path) has a damaged header: \(fault).")
    }

    /// What the standard leaves open, or tools do all the same.
    static let tolerated: [[UInt8]] = [
        // Not scaled.
        file { $0.slope = .nan }.bytes,
        file { ($0.slope, $0.intercept) = (.nan, .nan) }.bytes,
        // Bits a voxel left out.
        file { $0.bitsPerVoxel = 0 }.bytes,
        // A time axis that is not there.
        file { $0.dimensions = [3, 2, 1, 0] }.bytes,
        // Transforms that are not used.
        file { ($0.qformCode, $0.quaternion) = (0, [.nan, 9e30, 0]) }.bytes,
        file { ($0.sformCode, $0.rows) = (0, [[.nan, 0, 0, 0], [0, .infinity, 0, 0], [0, 0, 0, 0]]) }.bytes,
        // No place of the voxels: right behind the header.
        put(bytes(0), at: 108, in: file().bytes),
    ]

    @Test(arguments: tolerated) func whatToolsWriteIsRead(bytes: [UInt8]) throws {
        let path = try folder.write(bytes, to: "a.nii")
        let volume = try Volume(reading: path)
        #expect(volume.voxels == [1, 2, 3, 4, 5, 6])
        #expect(volume.geometry.spacing == SIMD3(2, 3, 4))
        try volume.write(to: folder.file("b.nii"))
        #expect(try Volume(reading: folder.file("b.nii")).geometry == volume.geometry)
    }

    @Test func spacingsLeftOutOrTurned() throws {
        let path = try folder.write(
            Self.put(Self.bytes(0) + Self.bytes(-3), at: 80, in: Self.file().bytes), to: "a.nii")
        #expect(try Volume(reading: path).geometry.spacing == SIMD3(1, 3, 4))
    }

    // MARK: Pairs and streams

    /// Either half names a pair, either half may be compressed, and the half that is missing is named.
    @Test(arguments: ["", ".gz"]) func pairs(compression: String) throws {
        let whole = Self.file().bytes
        let header = Self.put(
            Self.bytes(0), at: 108, in: Self.put(Array("ni1".utf8), at: 344, in: Array(whole.prefix(352))))
        let (head, body) = (folder.file("a.hdr" + compression), folder.file("a.img" + compression))
        writeFile(header, to: head)
        #expect(throws: NIfTIError.otherHalfMissing(path: head, missing: body)) { try Volume(reading: head) }
        writeFile(Array(whole.suffix(6)), to: body)
        #expect(try Volume(reading: head).voxels == [1, 2, 3, 4, 5, 6])
        #expect(try Volume(reading: body).voxels == [1, 2, 3, 4, 5, 6])
        unlink(head)
        #expect(throws: NIfTIError.otherHalfMissing(path: body, missing: head)) { try Volume(reading: body) }
    }

    /// Whether a file is compressed is seen in it, whatever it is called.
    @Test func compressedUnderAnotherName() throws {
        writeFile(Self.file().bytes, to: folder.file("a.nii.gz"))
        let path = try folder.write(folder.bytes(of: "a.nii.gz"), to: "b.nii")
        #expect(try Volume(reading: path).voxels == [1, 2, 3, 4, 5, 6])
        let plain = try folder.write(Self.file().bytes, to: "c.nii.gz")
        #expect(try Volume(reading: plain).voxels == [1, 2, 3, 4, 5, 6])
    }

    /// Damage that leaves more bytes than it should, or no end, must not slip past the checksum.
    @Test func theChecksumIsLookedAtInEveryCase() throws {
        let name = folder.file("a.nii.gz")
        writeFile(Self.file().bytes + [UInt8](repeating: 7, count: 100_000), to: name)
        #expect(try Volume(reading: name).voxels == [1, 2, 3, 4, 5, 6])
        let whole = try folder.bytes(of: "a.nii.gz")
        var changed = whole
        changed[changed.count - 7] ^= 1
        let path = try folder.write(changed, to: "b.nii.gz")
        #expect(throws: NIfTIError.damaged(path: path)) { try Volume(reading: path) }
        let cut = try folder.write(Array(whole.dropLast(8)), to: "c.nii.gz")
        #expect(throws: NIfTIError.damaged(path: cut)) { try Volume(reading: cut) }
    }

    /// Nobody waits for what a pipe may bring.
    @Test func aPipeIsRefused() {
        let path = folder.file("a.nii")
        #expect(mkfifo(path, 0o600) == 0)
        #expect(throws: NIfTIError.unreadable(path: path, reason: "it is no regular file")) {
            try Volume(reading: path)
        }
    }

    /// A compressed file of a megabyte can announce a gigabyte of voxels; room for them is made when they are
    /// there.
    @Test func noRoomIsMadeForVoxelsThatAreNotThere() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            var file = HandmadeNIfTI(dimensions: [1000, 1000, 1000], datatype: 2, bitsPerVoxel: 8)
            var random = CounterRandom(seed: 3, stream: CounterRandom.Stream(200))
            file.voxels = (0..<1_200_000).map { _ in UInt8(random.uniform() * 255) }
            let path = folder.file("a.nii.gz")
            writeFile(file.bytes, to: path)
            let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
            let bytes = rlim_t((Int(pages[0]) ?? 0) * Int(getpagesize()) + 1 << 30)
            var limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
            #expect(setrlimit(__rlimit_resource_t(UInt32(RLIMIT_AS.rawValue)), &limit) == 0)
            #expect(
                throws: NIfTIError.truncated(path: path, expectedBytes: 1_000_000_000, foundBytes: 1_200_000)
            ) {
                try Volume(reading: path)
            }
        }
    }
}
