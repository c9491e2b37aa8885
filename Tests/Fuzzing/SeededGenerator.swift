/// SplitMix64: the same seed and number give the same draws on every machine.
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// - Parameter number: of the case; each has draws of its own.
    public init(seed: UInt64, number: Int) {
        state = seed &* 0xD134_2543_DE82_EF95 &+ UInt64(number) &* 0xBF58_476D_1CE4_E5B9
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number from 0 to below `bound`, at least 0 where there is none.
    public mutating func below(_ bound: Int) -> Int {
        bound > 0 ? Int.random(in: 0..<bound, using: &self) : 0
    }

    /// True once in `times` draws.
    public mutating func once(in times: Int) -> Bool { below(times) == 0 }

    /// One of the values, which must not be empty.
    public mutating func one<Element>(of values: [Element]) -> Element { values[below(values.count)] }
}
