import Testing

@testable import Sampling

@Suite struct CounterRandomTests {
    /// The known answers that come with the Random123 library.
    @Test func philoxKnownAnswers() {
        #expect(
            philox4x32(.zero, key: .zero) == SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
        let ones = UInt32.max
        #expect(
            philox4x32(SIMD4(repeating: ones), key: SIMD2(repeating: ones))
                == SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
        #expect(
            philox4x32(
                SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344),
                key: SIMD2(0xA409_3822, 0x299F_31D0))
                == SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1))
    }

    @Test func pureFunctionOfItsKeys() {
        func first(_ seed: UInt64, _ step: Int, _ slot: Int, _ stream: CounterRandom.Stream) -> UInt64 {
            var random = CounterRandom(seed: seed, step: step, slot: slot, stream: stream)
            return random.next()
        }
        let reference = first(1, 2, 3, .position)
        #expect(first(1, 2, 3, .position) == reference)
        let others = [
            first(2, 2, 3, .position), first(1 + 1 << 40, 2, 3, .position), first(1, 3, 3, .position),
            first(1, 2 + 1 << 40, 3, .position), first(1, 2, 4, .position), first(1, 2, 3, .subject),
        ]
        #expect(Set(others + [reference]).count == 7)
    }

    @Test func integersAreUniform() {
        var random = CounterRandom(seed: 5, stream: CounterRandom.Stream(200))
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[random.integer(below: 7)] += 1 }
        // Chi-squared with 6 degrees of freedom exceeds 22.5 once in a thousand seeds.
        let chi = counts.reduce(0.0) { $0 + (Double($1) - 10_000) * (Double($1) - 10_000) / 10_000 }
        #expect(chi < 22.5)
        #expect((0..<10).allSatisfy { _ in random.integer(below: 1) == 0 })
    }

    /// With a bound just over half of the range, a biased method returns the lower half twice as often.
    @Test func integersOfAHugeRangeAreUnbiased() {
        var random = CounterRandom(seed: 6, stream: CounterRandom.Stream(200))
        let bound = 3 << 61
        let low = (0..<4000).count { _ in random.integer(below: bound) < bound / 2 }
        // Standard deviation 32.
        #expect(abs(low - 2000) < 130)
    }

    @Test func uniformAndNormalMoments() {
        var random = CounterRandom(seed: 7, stream: CounterRandom.Stream(200))
        let n = 20_000
        let uniform = (0..<n).map { _ in random.uniform() }
        #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
        // Standard error of the mean: 0.289 / sqrt(n) = 0.002.
        #expect(abs(uniform.reduce(0, +) / Double(n) - 0.5) < 0.008)
        let normal = (0..<n).map { _ in random.normal() }
        let mean = normal.reduce(0, +) / Double(n)
        let variance = normal.reduce(0) { $0 + $1 * $1 } / Double(n)
        let fourth = normal.reduce(0) { $0 + $1 * $1 * $1 * $1 } / Double(n)
        // Standard errors: 0.007, 0.01 and 0.07.
        #expect(abs(mean) < 0.03)
        #expect(abs(variance - 1) < 0.04)
        #expect(abs(fourth - 3) < 0.3)
    }

    @Test func permutationsHoldEveryIndexOnce() {
        var random = CounterRandom(seed: 8, stream: CounterRandom.Stream(200))
        let order = random.permutation(of: 50)
        #expect(order.sorted() == Array(0..<50))
        #expect(order != Array(0..<50))
        #expect(random.permutation(of: 0).isEmpty)
    }
}
