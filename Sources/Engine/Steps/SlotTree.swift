/// The order in which values of slots are added where the number of ranks must not change a bit: a balanced
/// binary tree.
///
/// The sum of n slots is that of the first n/2 (rounded down) plus that of the others. N ranks, a power of
/// two that divides the batch, each hold a whole subtree: what they add among themselves is the top of the
/// same tree.
public enum SlotTree {
    /// Calls with the additions of `count` values in their order: `into` becomes `into` + `term`. The sum
    /// ends in value 0.
    public static func additions<E: Error>(
        _ count: Int, _ add: (_ into: Int, _ term: Int) throws(E) -> Void
    ) throws(E) {
        try additions(0..<count, add)
    }

    private static func additions<E: Error>(
        _ range: Range<Int>, _ add: (_ into: Int, _ term: Int) throws(E) -> Void
    ) throws(E) {
        guard range.count > 1 else { return }
        let middle = range.lowerBound + range.count / 2
        try additions(range.lowerBound..<middle, add)
        try additions(middle..<range.upperBound, add)
        try add(range.lowerBound, middle)
    }
}
