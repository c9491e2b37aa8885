/// The name of `candidates` that looks most like `name`: the fewest insertions, deletions, replacements and swaps
/// of neighbours; the first of equals.
func nearestName(to name: String, in candidates: [String]) -> String? {
    candidates.enumerated()
        .min {
            ($0.element.editDistance(to: name), $0.offset) < ($1.element.editDistance(to: name), $1.offset)
        }?
        .element
}

extension String {
    /// Optimal string alignment distance, in characters.
    func editDistance(to other: String) -> Int {
        let a = Array(self)
        let b = Array(other)
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = Swift.min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    best = Swift.min(best, beforeLast[j - 1] + 1)
                }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
