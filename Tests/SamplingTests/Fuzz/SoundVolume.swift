import CNIfTI
import Foundation
import Fuzzing
import Geometry

@testable import Sampling

/// A sound NIfTI file of a kind drawn at random, in parts that can be damaged one by one.
struct SoundVolume {
    /// What the file is to a subject.
    enum Role: CaseIterable {
        case image, labels, probabilities, mask
    }

    /// How the parts lie on disk.
    enum Container: CaseIterable {
        case plain, compressed, pair, compressedPair
    }

    let container: Container
    let version: Int
    let isBigEndian: Bool
    /// With extensions, up to the voxels.
    var header: [UInt8]
    var voxels: [UInt8]
    /// What the voxels stand for, in file order.
    let values: [Float]
    /// Whether it holds several volumes.
    let isSeries: Bool

    static let extent = Size3(3, 4, 5)

    init(_ role: Role, _ random: inout SeededGenerator) {
        container = random.one(of: Container.allCases)
        version = random.one(of: [1, 1, 2])
        isBigEndian = random.once(in: 3)
        let type = random.one(of: NIfTIReadingTests.datatypes)
        let isReal = type.code == 16 || type.code == 64
        let volumes = role == .probabilities && isReal ? random.one(of: [1, 2]) : 1
        isSeries = random.once(in: 12) || volumes > 1
        var dimensions = [5, 4, 3]
        if isSeries { dimensions += [2] } else if random.once(in: 4) { dimensions += [1, 1] }
        // As tools write "not scaled".
        let (slope, intercept) = random.one(of: [(0.0, 0.0), (1, 0), (.nan, .nan), (0, 7), (.nan, 0)])
        var file = HandmadeNIfTI(
            version: version, isBigEndian: isBigEndian, dimensions: dimensions, datatype: type.code,
            bitsPerVoxel: type.bits, slope: slope, intercept: intercept,
            qformCode: random.one(of: [0, 1]), sformCode: random.one(of: [0, 1, 2]))
        var values: [Float] = []
        let count = Self.extent.count * (isSeries ? 2 : 1)
        for index in 0..<count {
            let value: Double =
                switch role {
                case .image: Double(index % 60) + (isReal ? 0.5 : 1)
                case .labels, .mask: index % 5 == 0 ? 1 : 0
                case .probabilities:
                    isReal ? 0.5 : index < Self.extent.count ? 1 : 0
                }
            values.append(Float(value))
            file.appendConverted(value)
        }
        self.values = values
        var header = Array(file.bytes.prefix(file.headerLength))
        voxels = file.voxels
        let isSwapped = isBigEndian
        func put(_ number: Int, at offset: Int, real: Bool, size: Int) {
            let pattern = real ? UInt64(Float(number).bitPattern) : UInt64(number)
            for index in 0..<size {
                header[offset + (isSwapped ? size - 1 - index : index)] = UInt8(
                    truncatingIfNeeded: pattern >> UInt64(8 * index))
            }
        }
        var offset = file.headerLength
        if random.once(in: 3) {
            // One extension of 32 bytes: its size, its code, a comment.
            header[offset - 4] = 1
            header += [UInt8](repeating: 0x41, count: 32)
            put(32, at: offset, real: false, size: 4)
            put(6, at: offset + 4, real: false, size: 4)
            offset += 32
        }
        let isPair = container == .pair || container == .compressedPair
        if isPair {
            header[(version == 1 ? 344 : 4) + 1] = UInt8(ascii: "i")
            offset = 0
        }
        put(offset, at: version == 1 ? 108 : 168, real: version == 1, size: version == 1 ? 4 : 8)
        self.header = header
    }

    /// The file that a list names and the file that holds the voxels.
    func paths(_ stem: String) -> (named: String, voxels: String) {
        switch container {
        case .plain: (stem + ".nii", stem + ".nii")
        case .compressed: (stem + ".nii.gz", stem + ".nii.gz")
        case .pair: (stem + ".hdr", stem + ".img")
        case .compressedPair: (stem + ".hdr.gz", stem + ".img.gz")
        }
    }

    /// Fields of the header: place, bytes, whether a real number.
    var fields: [(offset: Int, size: Int, isReal: Bool)] {
        let isFirst = version == 1
        let (short, long, real) = (2, isFirst ? 2 : 8, isFirst ? 4 : 8)
        var fields: [(Int, Int, Bool)] = [
            (0, 4, false), (isFirst ? 70 : 12, short, false), (isFirst ? 72 : 14, short, false),
            (isFirst ? 108 : 168, real, isFirst), (isFirst ? 112 : 176, real, true),
            (isFirst ? 116 : 184, real, true), (isFirst ? 123 : 500, isFirst ? 1 : 4, false),
            (isFirst ? 252 : 344, isFirst ? 2 : 4, false), (isFirst ? 254 : 348, isFirst ? 2 : 4, false),
            (isFirst ? 352 : 544, 4, false), (isFirst ? 356 : 548, 4, false),
        ]
        fields += (0..<8).map { ((isFirst ? 40 : 16) + long * $0, long, false) }
        fields += (0..<8).map { ((isFirst ? 76 : 104) + real * $0, real, true) }
        fields += (0..<18).map { ((isFirst ? 256 : 352) + real * $0, real, true) }
        return fields
    }

    /// Whether a header says the same of how the voxels are stored: size, shape, type, place and scale.
    func agreesOnVoxels(with other: [UInt8]) -> Bool {
        let isFirst = version == 1
        let ranges = isFirst ? [0..<4, 40..<56, 70..<74, 108..<120, 344..<348] : [0..<80, 168..<192]
        return other.count == header.count && ranges.allSatisfy { header[$0] == other[$0] }
    }
}

/// Writes bytes, compressed if the name ends in `.gz`.
func writeFile(_ bytes: [UInt8], to path: String) {
    var handle: znzFile? = znzopen(path, "wb", path.hasSuffix(".gz") ? 1 : 0)
    guard let file = handle else { preconditionFailure("\(path) cannot be written") }
    precondition(bytes.isEmpty || znzwrite(bytes, 1, bytes.count, file) == bytes.count, path)
    precondition(Xznzclose(&handle) == 0, path)
}

func readBytes(_ path: String) -> [UInt8] {
    FileManager.default.contents(atPath: path).map { [UInt8]($0) } ?? []
}
