import Geometry

@testable import CPU
@testable import Engine

extension GraphCase {
    /// The case of a number, the same wherever it is asked for.
    static func random(seed: Int) -> GraphCase {
        var generator = RandomGraph(seed: seed)
        return generator.make()
    }
}

/// Draws graphs that fit together: sizes and channels are kept small, so that a step takes milliseconds.
private struct RandomGraph {
    private var draws: FixtureDraws
    private var made: GraphCase
    private var shapes: [GraphCase.Shape]
    /// Few different numbers of channels a graph, so that many values can be added.
    private let palette: [Int]
    private let planar: Bool

    /// Voxels of the largest value and multiplications of the largest convolution, a slot.
    private static let mostVoxels = 1500, mostProducts = 600_000

    init(seed: Int) {
        var draws = FixtureDraws("graph \(seed)")
        planar = draws.chance(35)
        var size =
            planar
            ? Size3(1, draws.integer(3...18), draws.integer(3...18))
            : Size3(draws.integer(2...11), draws.integer(2...11), draws.integer(2...11))
        if draws.chance(20) {
            size = Size3 { size[$0] == 1 ? 1 : (size[$0] + 2) / 3 * 3 }
        }
        if draws.chance(6) { size[draws.integer(1...2)] = 1 }
        let channels = draws.integer(1...4)
        palette = (0..<2).map { _ in
            draws.chance(45) ? draws.integer(1...8) : draws.integer(draws.chance(60) ? 9...20 : 21...40)
        }
        made = GraphCase(
            seed: seed, inputChannels: channels, inputSize: size,
            slots: [1, 1, 2, 2, 3, 4][draws.integer(0...5)])
        shapes = [GraphCase.Shape(channels: channels, size: size)]
        self.draws = draws
    }

    mutating func make() -> GraphCase {
        let wanted = draws.integer(3...13)
        // Most draws fit; those that do not are drawn anew, and a graph that has grown too far ends early.
        for _ in 0..<10 * wanted where made.operations.count < wanted { append() }
        finish()
        made.pooling = draws.one(of: Pooling.allCases)
        made.isSoft = draws.chance(25)
        made.loss = loss()
        // What nobody reads is computed by nobody; a parameter there is refused.
        return draws.chance(4) ? made : made.pruned
    }

    /// Logits of two classes or more, into which most of what nobody has read goes.
    private mutating func finish() {
        let isRead = Set(made.operations.flatMap(\.inputs))
        for value in 1..<max(1, shapes.count - 1) where !isRead.contains(value) && draws.chance(85) {
            join(value, shapes.count - 1)
        }
        let last = shapes.count - 1
        if shapes[last].channels > 1, made.pruned.hasParameters, draws.chance(25) { return }
        push(
            .convolution(
                last, channels: draws.integer(2...5), kernel: Size3(1, 1, 1), dilation: 1, padding: .same,
                bias: draws.chance(70)))
    }

    private mutating func loss() -> ReferenceLoss {
        func single() -> ReferenceLoss {
            switch draws.integer(0...5) {
            case 0: return .crossEntropy
            case 1: return .dice
            case 2: return .sensitivitySpecificity(lambda: draws.one(of: [0, 0.05, 0.5, 1]))
            default:
                return .generalisedDice(
                    draws.one(of: [.square, .simple, .uniform]), draws.one(of: [.niftynet, .monai]))
            }
        }
        guard draws.chance(20) else { return single() }
        return .combined([(single(), 1), (single(), draws.one(of: [0.5, 2]))])
    }

    // MARK: Operations

    /// Appends an operation where it fits and stays small.
    @discardableResult private mutating func push(_ operation: GraphCase.Operation) -> Bool {
        guard let shape = made.shape(of: operation, shapes), shape.size.count <= Self.mostVoxels,
            shape.channels <= 48, products(of: operation, shape) <= Self.mostProducts
        else { return false }
        made.operations.append(operation)
        shapes.append(shape)
        return true
    }

    private func products(of operation: GraphCase.Operation, _ shape: GraphCase.Shape) -> Int {
        switch operation {
        case .convolution(let x, let channels, let kernel, _, _, _):
            shapes[x].channels * channels * kernel.count * shape.size.count
        case .transposed(let x, let channels, let kernel):
            shapes[x].channels * channels * kernel.count * shapes[x].size.count
        default: 0
        }
    }

    /// The last value, or any; once there are others, seldom the input.
    private mutating func source() -> Int {
        draws.chance(60)
            ? shapes.count - 1
            : draws.integer(min(draws.chance(25) ? 0 : 1, shapes.count - 1)...shapes.count - 1)
    }

    private mutating func append() {
        let x = source()
        // A convolution first: what precedes it has no gradient to be wrong.
        if made.operations.isEmpty, draws.chance(70) {
            push(convolution(x))
            return
        }
        switch draws.integer(0...99) {
        case 0..<20: push(convolution(x))
        case 20..<27: residual(x)
        case 27..<32: push(.transposed(x, channels: channels(), kernel: factors()))
        case 32..<38: push(.batchNorm(x))
        case 38..<41: push(.instanceNorm(x))
        case 41..<44:
            let divisors = (1...shapes[x].channels).filter { shapes[x].channels % $0 == 0 }
            push(.groupNorm(x, groups: draws.one(of: divisors)))
        case 44..<52: push(.relu(x))
        case 52..<58: push(.prelu(x))
        case 58..<69: addition()
        case 69..<72: statisticsOfAPart(x)
        case 72..<78:
            // A crop of nothing is no operation.
            let (before, after) = (max(0, draws.integer(-2...2)), max(0, draws.integer(-1...2)))
            if before + after > 0 { push(.crop(x, before: before, after: after)) }
        case 78..<80: push(.subsample(x, step: draws.chance(80) ? 3 : 5))
        case 80..<84: push(.upsample(x, factor: draws.integer(2...3)))
        case 84..<89: concatenation()
        case 89..<93:
            let window = Size3(draws.integer(1...3), draws.integer(1...3), draws.integer(1...3))
            let fitting = Size3 { min(window[$0], shapes[x].size[$0]) }
            push(.maxPool(x, window: fitting, stride: draws.integer(1...3)))
        case 93..<96: push(.maxout(x, pieces: draws.integer(2...4)))
        default: push(.dropout(x, rate: draws.one(of: [10, 30, 50, 80])))
        }
    }

    private mutating func channels() -> Int {
        draws.chance(80) ? draws.one(of: palette) : draws.integer(1...40)
    }

    /// How far a transposed convolution makes each axis longer; a planar image seldom becomes deep.
    private mutating func factors() -> Size3 {
        if draws.chance(15) { return Size3(1, 1, 1) }
        let factors = Size3(draws.integer(1...2), draws.integer(1...3), draws.integer(1...2))
        return planar && draws.chance(80) ? Size3(1, factors.height, factors.width) : factors
    }

    private mutating func convolution(_ x: Int) -> GraphCase.Operation {
        var kernel: Size3
        switch draws.integer(0...99) {
        case 0..<45: kernel = Size3(3, 3, 3)
        case 45..<62: kernel = Size3(1, 1, 1)
        case 62..<72: kernel = Size3(5, 5, 5)
        case 72..<80: kernel = draws.one(of: [Size3(2, 2, 2), Size3(4, 4, 4), Size3(1, 3, 3)])
        default: kernel = Size3(draws.integer(1...5), draws.integer(1...5), draws.integer(1...5))
        }
        if planar, draws.chance(95) { kernel.depth = 1 }
        let isOdd = (0..<3).allSatisfy { kernel[$0] % 2 == 1 }
        let dilation = draws.chance(65) ? 1 : draws.integer(2...4)
        return .convolution(
            x, channels: channels(), kernel: kernel, dilation: kernel.count == 1 ? 1 : dilation,
            padding: isOdd && draws.chance(85) ? .same : .valid, bias: draws.chance(50))
    }

    /// x + shortcut of two values of one size, or of one that a crop makes so.
    private mutating func addition() {
        let x = source()
        // Rarely the input, or a value to itself.
        let shortcut = draws.integer(0...shapes.count - 1)
        if shortcut == 0 || shortcut == x, draws.chance(75) { return }
        _ = add(x, shortcut)
    }

    private mutating func add(_ x: Int, _ shortcut: Int) -> Bool {
        if push(.add(x, shortcut: shortcut)) || push(.add(shortcut, shortcut: x)) { return true }
        guard shapes[shortcut].channels <= shapes[x].channels,
            let border = border(of: shapes[shortcut].size, around: shapes[x].size)
        else { return false }
        let before = draws.integer(0...border)
        return push(.crop(shortcut, before: before, after: border - before))
            && push(.add(x, shortcut: shapes.count - 1))
    }

    /// One value of both, where there is one.
    private mutating func join(_ x: Int, _ other: Int) {
        if draws.chance(70), add(x, other) || add(other, x) { return }
        push(.concatenate([x, other]))
    }

    /// Normalisations of x and of what a crop leaves of it, whose statistics are not the same.
    private mutating func statisticsOfAPart(_ x: Int) {
        let isBatch = draws.chance(60)
        func normalisation(_ x: Int) -> GraphCase.Operation { isBatch ? .batchNorm(x) : .instanceNorm(x) }
        push(normalisation(x))
        if push(.crop(x, before: draws.integer(0...1), after: draws.integer(1...2))) {
            push(normalisation(shapes.count - 1))
        }
    }

    /// x + convolution(activation(x)), at times with a normalisation, which not all read.
    private mutating func residual(_ x: Int) {
        var last = x
        if draws.chance(40), push(.batchNorm(last)) { last = shapes.count - 1 }
        if draws.chance(70), push(draws.chance(60) ? .relu(last) : .prelu(last)) { last = shapes.count - 1 }
        let kernel = Size3(planar ? 1 : 3, 3, 3)
        guard
            push(
                .convolution(
                    last, channels: max(shapes[x].channels, channels()), kernel: kernel,
                    dilation: draws.integer(1...2), padding: .same, bias: draws.chance(30)))
        else { return }
        push(.add(shapes.count - 1, shortcut: x))
    }

    /// The voxels that every axis longer than 1 has more.
    private func border(of large: Size3, around small: Size3) -> Int? {
        let borders = Set((0..<3).filter { large[$0] > 1 }.map { large[$0] - small[$0] })
        guard borders.count == 1, let border = borders.first, border > 0 else { return nil }
        return (0..<3).allSatisfy { large[$0] > 1 || small[$0] == 1 } ? border : nil
    }

    private mutating func concatenation() {
        let x = source()
        let fitting = shapes.indices.filter { shapes[$0].size == shapes[x].size }
        let values = [x] + (0..<draws.integer(1...2)).map { _ in draws.one(of: fitting) }
        push(.concatenate(draws.chance(50) ? values : values.reversed()))
    }
}
