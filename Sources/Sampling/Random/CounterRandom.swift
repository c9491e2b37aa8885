import Foundation

/// Random numbers that are a pure function of (seed, step, slot, stream): there is no state to save or to
/// share, and what one slot draws does not depend on what others drew before.
///
/// Philox4x32 with 10 rounds (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011). The key
/// is the seed; the counter holds step, slot, stream and the number of blocks drawn so far.
public struct CounterRandom: Sendable {
    /// What the numbers are for: draws for one purpose never shift those for another.
    public struct Stream: Hashable, Sendable {
        let number: UInt32

        /// - Parameter number: 0 to 255. Those below 64 are the library's own.
        public init(_ number: UInt8) {
            self.number = UInt32(number)
        }

        static let slotAssignment = Stream(1)
        static let heldOut = Stream(2)
        static let subject = Stream(3)
        static let position = Stream(4)
        static let phantom = Stream(16)
    }

    private let key: SIMD2<UInt32>
    private var counter: SIMD4<UInt32>
    private var block = SIMD4<UInt32>.zero
    private var isSecondHalf = false

    /// - Parameters:
    ///   - step: 0 ..< 2^56.
    ///   - slot: 0 ..< 2^32.
    public init(seed: UInt64, step: Int = 0, slot: Int = 0, stream: Stream) {
        precondition(step >= 0 && step < 1 << 56, "step \(step) is outside 0 ..< 2^56")
        precondition(slot >= 0 && slot < 1 << 32, "slot \(slot) is outside 0 ..< 2^32")
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        let high = UInt32(truncatingIfNeeded: step >> 32) << 8 | stream.number
        counter = SIMD4(0, UInt32(slot), UInt32(truncatingIfNeeded: step), high)
    }

    /// 64 uniformly distributed bits.
    public mutating func next() -> UInt64 {
        if isSecondHalf {
            isSecondHalf = false
            return UInt64(block.z) | UInt64(block.w) << 32
        }
        block = philox4x32(counter, key: key)
        counter.x &+= 1
        isSecondHalf = true
        return UInt64(block.x) | UInt64(block.y) << 32
    }

    /// A uniform integer in `0 ..< bound`, without bias (Lemire, Fast random integer generation in an
    /// interval, 2019).
    public mutating func integer(below bound: Int) -> Int {
        precondition(bound > 0, "no integer is below \(bound)")
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold {
                product = next().multipliedFullWidth(by: range)
            }
        }
        return Int(product.high)
    }

    /// A uniform number in `0 ..< 1`, a multiple of 2^-53.
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A uniform number in `range`.
    public mutating func uniform(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    /// A normal number with mean 0 and standard deviation 1 (Box and Muller, 1958). Takes two draws.
    public mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * .pi * uniform())
    }

    /// A uniformly random order of `0 ..< count` (Fisher and Yates).
    public mutating func permutation(of count: Int) -> [Int] {
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, integer(below: last + 1))
        }
        return order
    }
}

/// One block of Philox4x32 with 10 rounds.
func philox4x32(_ counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
        let first = c.x.multipliedFullWidth(by: 0xD251_1F53)
        let second = c.z.multipliedFullWidth(by: 0xCD9E_8D57)
        c = SIMD4(second.high ^ c.y ^ k.x, second.low, first.high ^ c.w ^ k.y, first.low)
        k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
}
