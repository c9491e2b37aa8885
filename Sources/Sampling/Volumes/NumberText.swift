import Foundation

/// A number for a sentence: up to six significant digits, no trailing zeros.
func short(_ value: Double) -> String {
    String(format: "%.6g", value)
}

/// "1 voxel", "2 voxels", with a separator of thousands.
/// - Parameter plural: Of the noun; by default it takes an s.
public func counted(_ count: Int, _ noun: String, plural: String? = nil) -> String {
    var digits = String(count.magnitude)
    var place = digits.count - 3
    while place > 0 {
        digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
        place -= 3
    }
    return (count < 0 ? "-" : "") + digits + " " + (count == 1 ? noun : plural ?? noun + "s")
}

/// "a", "a and b", "a, b and c".
public func listed(_ words: [String], _ conjunction: String = "and") -> String {
    guard let last = words.last else { return "none" }
    guard words.count > 1 else { return last }
    return words.dropLast().joined(separator: ", ") + " \(conjunction) " + last
}

/// A measure for a sentence: three significant digits.
func brief(_ value: Double) -> String {
    String(format: "%.3g", value)
}
