/// Which group of ranks runs which cells.
public enum SweepShares {
    /// Deals cells to groups so that all end at about the same time: the dearest first, each to the group
    /// with the least to do.
    /// - Parameters:
    ///   - costs: of the cells, in any unit.
    ///   - groups: at least 1.
    /// - Returns: by group, the indices of its cells, ascending.
    public static func deal(_ costs: [Double], groups: Int) -> [[Int]] {
        precondition(groups >= 1, "\(groups) groups")
        var shares = [[Int]](repeating: [], count: groups)
        var loads = [Double](repeating: 0, count: groups)
        for index in costs.indices.sorted(by: { (-costs[$0], $0) < (-costs[$1], $1) }) {
            // Cells of unknown cost are dealt by number.
            let group =
                (0..<groups).min { (loads[$0], shares[$0].count) < (loads[$1], shares[$1].count) } ?? 0
            shares[group].append(index)
            loads[group] += costs[index]
        }
        return shares.map { $0.sorted() }
    }
}

/// How long the cells that are left will take, by those that are done.
public struct SweepClock: Sendable {
    private var cost = 0.0
    private var seconds = 0.0

    public init() {}

    /// Notes a cell, or a part of one, that has taken `seconds`.
    public mutating func note(cost: Double, seconds: Double) {
        self.cost += cost
        self.seconds += seconds
    }

    /// - Returns: nil before anything was noted.
    public func estimate(cost left: Double) -> Double? { cost > 0 ? left * seconds / cost : nil }
}
