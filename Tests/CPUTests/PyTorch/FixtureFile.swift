import CPU
import Engine
import Foundation
import Testing

/// What PyTorch computed in float64, as Tests/Fixtures/make_fixtures.py wrote it.
struct FixtureFile {
    let cases: [FixtureCase]
    private let values: [Float]

    /// Read once; the tests share it.
    static let shared = Result { try FixtureFile() }

    init() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appending(component: "Fixtures")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        cases = try decoder.decode(
            [FixtureCase].self, from: Data(contentsOf: folder.appending(component: "fixtures.json")))
        let bytes = try [UInt8](Data(contentsOf: folder.appending(component: "fixtures.bin")))
        values = stride(from: 0, to: bytes.count, by: 4).map { start in
            let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
            return Float(bitPattern: bits)
        }
    }

    /// The elements that are kept of an array.
    func elements(_ array: FixtureCase.Kept) -> ArraySlice<Float> {
        values[array.offset..<(array.offset + (array.total + array.stride - 1) / array.stride)]
    }
}

/// A graph, what goes in and what must come out.
struct FixtureCase: Decodable, Sendable {
    struct Operation: Decodable, Sendable {
        let kind, x, y: String
        let shortcut, padding: String?
        let channels, dilation, border, after: Int?
        let kernel: [Int]?
        let bias: Bool?
    }

    struct Architecture: Decodable, Sendable {
        let name, logits, activation: String
        let border: Int
        let widths: [Int]?
        let hidden: Int?
        let normalisation: String?
        let groups: Int?
    }

    struct Expected: Decodable, Sendable {
        let loss, dice: Double?
        let slotLosses, reference, prediction, intersection: [Double]?
    }

    /// Every `stride`-th of `total` elements, from `offset` of the value file on.
    struct Kept: Decodable, Sendable {
        let offset, stride, total: Int
    }

    let name: String
    let salt, channels, classes: Int
    let size: [Int]
    /// What the reference of each slot is made of.
    let references: [String]
    let weights, pooling: String
    /// Nil for the Generalised Dice loss.
    let loss: String?
    let inference, gradients: Bool
    let operations: [Operation]
    let network: Architecture?
    let expected: Expected
    /// The largest relative L2 error of PyTorch's own float32.
    let float32Error: Double
    /// `logits/SLOT`, `gradient/NAME`, `statistic/NAME`
    let arrays: [String: Kept]
}

extension FixtureCase: CustomTestStringConvertible {
    var testDescription: String { name }
}

/// The numbers that both sides draw instead of storing them: words of SplitMix64, seeded with the FNV-1a hash
/// of a name.
struct FixtureDraws {
    private var state: UInt64

    init(_ name: String) {
        state = name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }

    mutating func word() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// In [-1, 1), a multiple of 2^-23.
    mutating func signed() -> Double { Double(word() >> 40) * 0x1p-23 - 1 }
}

extension FixtureCase {
    private var key: String { "\(name)#\(salt)" }

    func fillImage(_ image: UnsafeMutableBufferPointer<Float>, slot: Int) {
        var draws = FixtureDraws("\(key)/input/\(slot)")
        for index in image.indices { image[index] = Float(draws.signed()) }
    }

    /// Seven voxels of ten background, or an extreme.
    func fillReference(_ labels: UnsafeMutableBufferPointer<UInt8>, slot: Int) {
        labels.update(repeating: references[slot] == "full" ? 1 : 0)
        if references[slot] == "one" { labels[labels.count / 2] = 1 }
        guard references[slot] == "mixed" else { return }
        var draws = FixtureDraws("\(key)/reference/\(slot)")
        for index in labels.indices {
            let r = Int(draws.word() % 1000)
            labels[index] = r < 700 ? 0 : UInt8(1 + (r - 700) * (classes - 1) / 300)
        }
    }

    func fill(_ arena: ParameterArena) {
        for entry in arena.entries {
            var draws = FixtureDraws("\(key)/\(entry.name)")
            arena[entry.name] = entry.range.map { _ in Float(value(draws.signed(), of: entry)) }
        }
    }

    private func value(_ u: Double, of entry: ParameterArena.Entry) -> Double {
        switch entry.role {
        case .weight, .transposedWeight:
            return u * (6 / Double(entry.shape.dropFirst().reduce(1, *))).squareRoot()
        case .scale: return 0.5 + 0.15 * u
        case .shift: return (u < -0.5 ? -1 : 1) + 0.2 * u
        case .slope: return 0.25 + 0.2 * u
        case .runningVariance: return 1 + 0.5 * u
        case .bias, .runningMean: return 0.5 * u
        }
    }
}
