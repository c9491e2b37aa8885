import Foundation

/// The three contrasts of the paper's second task.
enum Contrast: String, CaseIterable {
    case flair, t1, t2

    /// Signal of each tissue, in the order of `Tissue`, where white matter has about 50 to 80.
    var tissues: TissueShares {
        switch self {
        //                           air scalp bone muscle fluid grey white deep grey
        case .flair: TissueShares(0, 74, 9, 38, 11, 64, 50, 57)
        case .t1: TissueShares(0, 92, 12, 42, 20, 56, 80, 64)
        case .t2: TissueShares(0, 62, 9, 28, 104, 64, 46, 50)
        }
    }

    /// Signal of a white matter hyperintensity.
    var lesion: Float {
        switch self {
        case .flair: 96
        case .t1: 62
        case .t2: 84
        }
    }
}

/// What a scanner adds to the signal: gain, a smooth bias field, texture and Rician noise.
struct PhantomScanner {
    private let gain: Float
    private let noise: Float
    private let bias: SmoothNoise
    private let texture: SmoothNoise
    private var random: CounterRandom

    init(random: CounterRandom) {
        var random = random
        gain = Float(random.uniform(in: 5...14))
        noise = Float(random.uniform(in: 1.4...2.4))
        bias = SmoothNoise(cell: 75, random: &random)
        texture = SmoothNoise(cell: 14, random: &random)
        self.random = random
    }

    /// The scanner's reading of a voxel.
    ///
    /// - Parameter place: on the scanner's axes, in millimetres.
    mutating func read(_ signal: Float, at place: SIMD3<Float>) -> Float {
        // Air is most of the volume.
        let ideal = signal == 0 ? 0 : signal * (1 + 0.015 * texture(place)) * exp(0.1 * bias(place))
        // Two normal numbers at a time (Box and Muller): one a channel of the coil.
        let bits = random.next()
        let radius = noise * (-2 * log(Float((bits >> 40) + 1) * 0x1p-24)).squareRoot()
        let angle = 2 * Float.pi * Float(bits & 0xFF_FFFF) * 0x1p-24
        let real = ideal + radius * cos(angle)
        let imaginary = radius * sin(angle)
        return gain * (real * real + imaginary * imaginary).squareRoot()
    }
}
