/// The name of `candidates` that was most likely meant by `name`; nil where none looks like it.
///
/// In this order, the first of equals: one that `aliases` knows by that name; one that differs in case,
/// hyphens or underscores alone; one slip of the keyboard; the initials of several words (`lr` for
/// `learning_rate`) or one of them; a common beginning (`optim` for `optimizer`); at most half of the letters
/// wrong; letters left out (`wghts` for `weights`).
///
/// A candidate such as `patch.size` is compared as a whole (`patch_size`) and by its last part (`size`).
///
/// Nobody means a name of more than 64 letters, as a damaged file may hold it, nor looks for one among
/// thousands.
///
/// - Parameter aliases: What others call a last part, in lower case without hyphens and underscores.
public func nearestName(
    to name: String, in candidates: [String], aliases: [String: String] = [:]
) -> String? {
    guard name.utf8.count <= longestName else { return nil }
    return candidates.prefix(1000).enumerated()
        .filter { $0.element.utf8.count <= longestName }
        .compactMap { offset, candidate in
            let forms = Set([candidate, String(candidate.split(separator: ".").last ?? "")])
            return forms.compactMap { resemblance(of: name, to: $0, aliases) }
                .min { ($0.kind, $0.distance) < ($1.kind, $1.distance) }
                .map { (candidate, $0.kind, $0.distance, offset) }
        }
        .min { ($0.1, $0.2, $0.3) < ($1.1, $1.2, $1.3) }?
        .0
}

/// In bytes of UTF-8.
private let longestName = 4 * 64

/// How a name resembles another: smaller is closer.
private enum Resemblance: Int, Comparable {
    case alias, spelling, slip, words, beginning, similar, abbreviation

    static func < (a: Resemblance, b: Resemblance) -> Bool { a.rawValue < b.rawValue }
}

private func resemblance(
    of name: String, to candidate: String, _ aliases: [String: String]
) -> (kind: Resemblance, distance: Int)? {
    let (plain, other) = (plainSpelling(name), plainSpelling(candidate))
    guard !plain.isEmpty, !other.isEmpty else { return nil }
    // Of names that differ by more in length, the distance itself is no matter, and it is long to find.
    let gap = abs(plain.count - other.count)
    let distance = gap <= max(1, plain.count / 2) && gap < 100 ? plain.editDistance(to: other) : max(gap, 2)
    if let meant = aliases[plain], plainSpelling(meant) == other { return (.alias, 0) }
    if distance == 0 { return (.spelling, 0) }
    // Of two letters, one that is wrong says nothing.
    if distance == 1, min(plain.count, other.count) > 2 { return (.slip, 0) }
    let words = candidate.lowercased().split { "_-.".contains($0) }
    if words.count > 1, words.contains(Substring(plain)) || plain == String(words.compactMap(\.first)) {
        return (.words, distance)
    }
    let isBeginning = other.hasPrefix(plain) || plain.hasPrefix(other)
    if isBeginning, min(plain.count, other.count) > 1 { return (.beginning, distance) }
    if distance <= max(1, plain.count / 2), distance < other.count { return (.similar, distance) }
    if plain.count > 1, plain.first == other.first, isSubsequence(plain, of: other) {
        return (.abbreviation, distance)
    }
    return nil
}

private func plainSpelling(_ name: String) -> String {
    name.lowercased().filter { !"_-.".contains($0) }
}

private func isSubsequence(_ letters: String, of text: String) -> Bool {
    var rest = Substring(text)
    for letter in letters {
        guard let index = rest.firstIndex(of: letter) else { return false }
        rest = rest[rest.index(after: index)...]
    }
    return true
}

extension String {
    /// The fewest insertions, deletions, replacements and swaps of neighbours that make it the other (optimal
    /// string alignment).
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
