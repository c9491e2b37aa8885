/// Subjects that are kept from training to score the result on: a seeded choice, whole subjects at a time.
public struct HeldOutSplit: Hashable, Sendable {
    /// Indices of the subjects to train on, ascending.
    public let training: [Int]
    /// Indices of the subjects held out, ascending.
    public let heldOut: [Int]

    /// Holds out `fraction * subjects`, rounded to the nearest whole number (halves up), but at least one
    /// subject where the fraction is greater than 0, and never the last one that could be trained on.
    ///
    /// - Parameter fraction: 0 ..< 1.
    public init(subjects: Int, fraction: Double, seed: UInt64) {
        precondition(fraction >= 0 && fraction < 1, "a held-out fraction of \(fraction)")
        let wanted = fraction > 0 ? max(1, Int((fraction * Double(subjects) + 0.5).rounded(.down))) : 0
        let count = max(0, min(wanted, subjects - 1))
        var random = CounterRandom(seed: seed, stream: .heldOut)
        let order = random.permutation(of: subjects)
        heldOut = order.prefix(count).sorted()
        training = order.dropFirst(count).sorted()
    }
}
