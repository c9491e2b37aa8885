/// A float32 less the lower half of its bits: 1 for the sign, 8 for the exponent, 7 for the fraction.
struct BFloat16: BitwiseCopyable, Sendable, Equatable {
    var bitPattern: UInt16

    init(bitPattern: UInt16) { self.bitPattern = bitPattern }

    /// The number nearest to `value`, of two equally near ones that whose last bit is 0. Beyond the largest
    /// number by half a step or more, 3.396e38, that is infinity; NaN stays NaN.
    @inline(__always)
    init(_ value: Float) {
        let bits = value.bitPattern
        let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
        // The bits that tell a NaN from infinity may all be among those cut off.
        let quiet = bits >> 16 | 0x40
        let isNaN = bits & 0x7FFF_FFFF > 0x7F80_0000
        bitPattern = UInt16(truncatingIfNeeded: isNaN ? quiet : rounded)
    }

    /// The same number as float32.
    @inline(__always)
    var float: Float { Float(bitPattern: UInt32(bitPattern) << 16) }

    /// What rounding `value` to this number took away, exactly; 0 where this is not finite.
    @inline(__always)
    func rest(of value: Float) -> Float {
        let isFinite = bitPattern & 0x7F80 != 0x7F80
        return isFinite ? value - float : 0
    }
}
