/// What disks, transfers and editors do to a file.
public enum Damage {
    /// Changes a file's bytes in one way: a bit, a byte, a cut, bytes put in, doubled, or taken from another
    /// file.
    /// - Parameter other: bytes of another file of the kind.
    public static func bytes(_ bytes: inout [UInt8], splicing other: [UInt8], _ random: inout SeededGenerator)
    {
        let place = random.below(bytes.count)
        let length = 1 + random.below(min(64, max(1, bytes.count - place)))
        switch random.below(9) {
        case 0, 1:
            if !bytes.isEmpty { bytes[place] ^= 1 << UInt8(random.below(8)) }
        case 2:
            if !bytes.isEmpty { bytes[place] = random.one(of: [0, 1, 0x7F, 0x80, 0xFF]) }
        case 3:
            bytes.removeLast(bytes.count - place)
        case 4:
            let fill: UInt8 = random.one(of: [0, 0xFF, 0x20, 0x0A])
            for index in place..<min(bytes.count, place + length) { bytes[index] = fill }
        case 5:
            bytes.insert(contentsOf: (0..<length).map { _ in UInt8(random.below(256)) }, at: place)
        case 6:
            bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + length)], at: place)
        case 7:
            bytes.removeSubrange(place..<min(bytes.count, place + length))
        default:
            bytes = Array(bytes.prefix(place)) + other.suffix(random.below(other.count + 1))
        }
    }

    /// Puts an extreme where a number of `size` bytes stands: 0, 1, -1, the least, the greatest, NaN,
    /// infinity, 1e30, 1e-30, or the bytes reversed.
    public static func number(
        in bytes: inout [UInt8], at offset: Int, size: Int, isReal: Bool, isBigEndian: Bool,
        _ random: inout SeededGenerator
    ) {
        guard offset + size <= bytes.count else { return }
        var pattern: UInt64
        if isReal {
            let value = random.one(of: [
                0, 1, -1, .nan, .infinity, -.infinity, 1e30, -1e30, 1e-30, 1e-44, 3.5, 1e9, 5e18, 1e19,
            ])
            pattern = size == 4 ? UInt64(Float(value).bitPattern) : value.bitPattern
        } else {
            let value: Int64 = random.one(of: [
                0, 1, 2, 3, 7, 8, -1, 255, 30000, 32767, .min, .max, 1 << 31, (1 << 31) - 1, 1 << 62,
            ])
            pattern = UInt64(bitPattern: value)
            if value == .min, size < 8 { pattern = 1 << UInt64(8 * size - 1) }
            if value == .max, size < 8 { pattern = (1 << UInt64(8 * size - 1)) - 1 }
        }
        if random.once(in: 12) {
            bytes[offset..<offset + size].reverse()
            return
        }
        for index in 0..<size {
            bytes[offset + (isBigEndian ? size - 1 - index : index)] = UInt8(
                truncatingIfNeeded: pattern >> UInt64(8 * index))
        }
    }

    /// Changes a text in one way: a token by another of the text or by one that readers stumble over, a line
    /// doubled, lost, moved or indented anew, bytes that are no text.
    /// - Parameter tokens: what of the kind's own is put in.
    public static func text(_ bytes: inout [UInt8], tokens: [String], _ random: inout SeededGenerator) {
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
        let line = random.below(lines.count)
        switch random.below(10) {
        case 0, 1, 2:
            let own = ranges(ofTokensIn: bytes)
            guard !own.isEmpty else { return }
            let replaced = random.one(of: own)
            bytes.replaceSubrange(replaced, with: Array(random.one(of: tokens + stumbling).utf8))
            return
        case 3:
            let own = ranges(ofTokensIn: bytes)
            guard !own.isEmpty else { return }
            let source = Array(bytes[random.one(of: own)])
            bytes.replaceSubrange(random.one(of: own), with: source)
            return
        case 4: lines.insert(lines[line], at: random.below(lines.count))
        case 5: lines.remove(at: line)
        case 6: lines.swapAt(line, random.below(lines.count))
        case 7:
            lines[line].insert(contentsOf: Array(random.one(of: [" ", "  ", "\t", "- ", "? "]).utf8), at: 0)
        case 8:
            let noText: [[UInt8]] = [
                [0], [0xFF, 0xFE], [0xC3], [0xED, 0xA0, 0x80], [0xE2, 0x80, 0xA8], [0x1B, 0x5B],
                [0xEF, 0xBB, 0xBF],
                [0x7F], [13],
            ]
            lines[line].insert(contentsOf: random.one(of: noText), at: random.below(lines[line].count + 1))
        default:
            lines.insert(Array(random.one(of: tokens + stumbling).utf8), at: line)
        }
        bytes = Array(lines.joined(separator: [10]))
    }

    /// Runs of letters, digits and what numbers and paths are made of.
    private static func ranges(ofTokensIn bytes: [UInt8]) -> [Range<Int>] {
        func belongs(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2E, 0x2F, 0x5F, 0x80...: true
            default: false
            }
        }
        var ranges: [Range<Int>] = []
        var begin: Int?
        for index in 0...bytes.count {
            if index < bytes.count, belongs(bytes[index]) {
                begin = begin ?? index
            } else if let first = begin {
                ranges.append(first..<index)
                begin = nil
            }
        }
        return ranges
    }

    private static let stumbling = [
        "", "0", "-1", "1e400", "nan", "inf", "-0", "9223372036854775807", "9223372036854775808",
        "-9223372036854775809", "1e-400", "0x1F", "1_000", "1,5", "\u{0}", "\u{FEFF}", "\u{202E}", "~",
        "null",
        "true", "[]", "{}", "\"", "'", ",", ",,,,", "../../x", "/", ".", "..",
        String(repeating: "9", count: 400),
        String(repeating: "ä", count: 2000), String(repeating: "a\u{301}", count: 100), "e\u{301}\u{200D}😀",
    ]
}
