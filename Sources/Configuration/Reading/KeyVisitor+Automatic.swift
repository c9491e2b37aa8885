/// Keys whose default, `auto`, is what fits the rest of the configuration; their value is nil then.
extension KeyVisitor {
    /// A whole number, or a word such as `auto` (nil).
    package mutating func automatic(
        _ key: String, _ value: inout Int?, _ range: ClosedRange<Int>, word: String = "auto"
    ) throws(ConfigurationError) {
        let expected = "\(word) or a whole number from \(range.lowerBound) to \(range.upperBound)"
        if let found = try scalar(key, expected) {
            if found == word {
                value = nil
            } else {
                guard let number = Int(found), range.contains(number) else { throw bad(key, expected) }
                value = number
            }
        }
        note(key, value.map(YAMLText.number) ?? .scalar(word))
    }

    /// Whole numbers, or `auto` (nil).
    package mutating func automaticList(
        _ key: String, _ value: inout [Int]?, _ range: ClosedRange<Int>
    ) throws(ConfigurationError) {
        let expected = "auto or a list of whole numbers from \(range.lowerBound) to \(range.upperBound)"
        if let node = entries.first(where: { $0.key == key })?.value {
            if case .scalar("auto", _) = node.value {
                value = nil
            } else {
                let texts = try scalars(key, node, expected: expected)
                let numbers = texts.compactMap(Int.init).filter(range.contains)
                guard numbers.count == texts.count, !numbers.isEmpty else { throw bad(key, expected) }
                value = numbers
            }
        }
        note(key, value.map { .list($0.map(YAMLText.number)) } ?? .scalar("auto"))
    }

    /// A number, or a word for its absence (nil).
    ///
    /// - Parameters:
    ///   - none: The word.
    ///   - contains: Whether a finite number is allowed; `expected` says which are.
    package mutating func automaticNumber(
        _ key: String, _ value: inout Double?, _ numbers: String, none: String = "auto",
        _ contains: (Double) -> Bool
    ) throws(ConfigurationError) {
        let expected = "\(none) or \(numbers)"
        if let found = try scalar(key, expected) {
            if found == none {
                value = nil
            } else {
                guard let number = Double(found), number.isFinite, contains(number) else {
                    throw bad(key, expected)
                }
                value = number
            }
        }
        note(key, value.map(YAMLText.number) ?? .scalar(none))
    }

    /// A choice, or `auto` (nil).
    package mutating func automaticChoice<Choice: ConfigurationChoice>(
        _ key: String, _ value: inout Choice?
    ) throws(ConfigurationError) {
        let expected = "one of auto, " + Choice.names.joined(separator: ", ")
        if let found = try scalar(key, expected) {
            if found == "auto" {
                value = nil
            } else {
                guard let choice = Choice(rawValue: found) else { throw bad(key, expected) }
                value = choice
            }
        }
        note(key, value.map { .text($0.rawValue) } ?? .scalar("auto"))
    }
}
