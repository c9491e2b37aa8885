import Testing

@testable import Collectives

@Suite struct BFloat16Tests {
    @Test(
        arguments: [
            (0x3F80_0000, 0x3F80),
            // Halfway between two numbers: to the one that ends in 0, above or below.
            (0x3F80_8000, 0x3F80), (0x3F81_8000, 0x3F82), (0xBF80_8000, 0xBF80), (0xBF81_8000, 0xBF82),
            // One unit of float32 beside the middle.
            (0x3F80_7FFF, 0x3F80), (0x3F80_8001, 0x3F81), (0x3F81_7FFF, 0x3F81),
            // The carry makes a 2 of the float before it.
            (0x3FFF_8000, 0x4000),
            // Zeros and denormal numbers, the smallest and the largest one among them.
            (0x0000_0000, 0x0000), (0x8000_0000, 0x8000), (0x0000_0001, 0x0000), (0x8000_0001, 0x8000),
            (0x0000_8000, 0x0000), (0x0000_8001, 0x0001), (0x0001_8000, 0x0002), (0x007F_FFFF, 0x0080),
            // The largest number, the last float that is rounded to it, the first one that is not, and the
            // largest float.
            (0x7F7F_0000, 0x7F7F), (0x7F7F_7FFF, 0x7F7F), (0x7F7F_8000, 0x7F80), (0x7F7F_FFFF, 0x7F80),
            (0xFF7F_7FFF, 0xFF7F), (0xFF7F_8000, 0xFF80),
            (0x7F80_0000, 0x7F80), (0xFF80_0000, 0xFF80),
            // NaN: as it is usual, with no bit in the upper half, and with all of them.
            (0x7FC0_0000, 0x7FC0), (0x7F80_0001, 0x7FC0), (0xFF80_0001, 0xFFC0), (0xFFFF_FFFF, 0xFFFF),
        ] as [(UInt32, UInt16)])
    func roundsToTheNearest(float: UInt32, expected: UInt16) {
        let found = BFloat16(Float(bitPattern: float)).bitPattern
        #expect(found == expected, "\(String(float, radix: 16)) gave \(String(found, radix: 16))")
    }

    @Test func allNumbersStayWhatTheyAre() {
        for bits in UInt16.min...UInt16.max {
            let number = BFloat16(bitPattern: bits)
            if number.float.isNaN {
                #expect(BFloat16(number.float).float.isNaN)
            } else {
                #expect(BFloat16(number.float) == number && number.rest(of: number.float) == 0)
            }
        }
    }

    @Test(
        arguments: [
            // 1 + 1/256 becomes 1, and 1 + 3/256 becomes 1 + 4/256.
            (0x1.01p0, 0x1p-8), (0x1.03p0, -0x1p-8), (-0x1.03p0, 0x1p-8),
            (.leastNonzeroMagnitude, .leastNonzeroMagnitude), (0, 0), (-3.5, 0),
            // What would become infinity, and what is none.
            (.greatestFiniteMagnitude, 0), (.infinity, 0), (-.infinity, 0), (.nan, 0),
        ] as [(Float, Float)])
    func theRestIsWhatRoundingTookAway(value: Float, expected: Float) {
        #expect(BFloat16(value).rest(of: value) == expected)
    }
}
