import Foundation
import Sampling

/// A group of keys, such as `optimizer`.
package protocol ConfigurationSection {
    /// Names every key once: reads the ones that are given and notes the resulting value of all.
    mutating func visit(_ keys: inout KeyVisitor) throws(ConfigurationError)
}

/// A value out of a few names.
package protocol ConfigurationChoice: RawRepresentable<String>, CaseIterable, Sendable {}

extension ConfigurationChoice {
    package static var names: [String] { allCases.map(\.rawValue) }
}

/// Reads one mapping of a configuration key by key, checks type and range, and notes the resolved values.
///
/// A section declares its keys in one place; reading, writing back and the list of known names follow from
/// it.
package struct KeyVisitor {
    private let path: String
    package let origin: String
    /// Where relative paths of a file start; nil leaves them as they are.
    private let folder: String?
    let entries: [ConfigurationNode.Entry]
    private var names: [String] = []
    private var retired: Set<String> = []
    /// Sentences about keys that are read but have no effect any more, those of the sections below included.
    private(set) var warnings: [String] = []
    private var inapplicable: [String: String] = [:]
    /// Full paths of all keys named so far, those of the sections below included.
    private var paths: [String] = []
    /// The values after reading, defaults included.
    private(set) var resolved: [YAMLText.KeyText] = []

    package init(_ node: ConfigurationNode, path: String, folder: String? = nil) throws(ConfigurationError) {
        self.path = path
        self.folder = folder
        origin = node.origin
        switch node.value {
        case .mapping(let entries): self.entries = entries
        case .scalar("", quoted: false): entries = []
        case .scalar, .list:
            let name = path.isEmpty ? "the configuration" : path
            throw ConfigurationError(
                origin: node.origin,
                fault: .badValue(key: name, found: node.shown, expected: "a mapping of keys and values"))
        }
    }

    /// Whether the key is given.
    package func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

    package func fullName(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The failure of a check over several keys, reported at `key`.
    package func failure(_ key: String, found: String, expected: String) -> ConfigurationError {
        ConfigurationError(
            origin: place(of: key), fault: .badValue(key: fullName(key), found: found, expected: expected))
    }

    /// The refusal of a mapping without a key that it must have.
    package func missing(_ key: String) -> ConfigurationError {
        ConfigurationError(origin: origin, fault: .missingKey(fullName(key)))
    }

    // MARK: Keys

    package mutating func section<Section: ConfigurationSection>(
        _ key: String, _ section: inout Section
    ) throws(ConfigurationError) {
        names.append(key)
        let node =
            entries.first { $0.key == key }?.value ?? ConfigurationNode(value: .mapping([]), origin: origin)
        var keys = try KeyVisitor(node, path: fullName(key), folder: folder)
        try section.visit(&keys)
        try keys.finish()
        paths += keys.paths
        warnings += keys.warnings
        resolved.append(.init(key: key, value: .mapping(keys.resolved)))
    }

    /// A value that its owner reads itself; nil where the key is not given.
    package mutating func node(_ key: String) -> ConfigurationNode? {
        names.append(key)
        return entries.first { $0.key == key }?.value
    }

    package mutating func integer(
        _ key: String, _ value: inout Int, _ range: ClosedRange<Int>
    ) throws(ConfigurationError) {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        if let found = try scalar(key, expected) {
            guard let number = Int(found), range.contains(number) else { throw bad(key, expected) }
            value = number
        }
        note(key, .number(value))
    }

    /// - Parameter contains: whether a finite number is allowed; `expected` says which are.
    package mutating func number(
        _ key: String, _ value: inout Double, _ expected: String, _ contains: (Double) -> Bool
    ) throws(ConfigurationError) {
        if let found = try scalar(key, expected) {
            guard let number = Double(found), number.isFinite, contains(number) else {
                throw bad(key, expected)
            }
            value = number
        }
        note(key, .number(value))
    }

    package mutating func flag(_ key: String, _ value: inout Bool) throws(ConfigurationError) {
        if let found = try scalar(key, "true or false") {
            switch found {
            case "true": value = true
            case "false": value = false
            default: throw bad(key, "true or false")
            }
        }
        note(key, .scalar(value ? "true" : "false"))
    }

    package mutating func choice<Choice: ConfigurationChoice>(
        _ key: String, _ value: inout Choice
    ) throws(ConfigurationError) {
        let expected =
            Choice.names.count == 1 ? Choice.names[0] : "one of " + Choice.names.joined(separator: ", ")
        if let found = try scalar(key, expected) {
            guard let choice = Choice(rawValue: found) else { throw bad(key, expected) }
            value = choice
        }
        note(key, .text(value.rawValue))
    }

    package mutating func text(_ key: String, _ value: inout String) throws(ConfigurationError) {
        if let found = try scalar(key, "a name") {
            guard !found.isEmpty else { throw bad(key, "a name") }
            value = found
        }
        note(key, .text(value))
    }

    /// The path of a file. A relative one starts at the configuration's folder, and one that the command line
    /// gives at the current folder, as all paths there.
    package mutating func path(_ key: String, _ value: inout String) throws(ConfigurationError) {
        if let found = try scalar(key, "a path") {
            guard !found.isEmpty else { throw bad(key, "a path") }
            value = found
            let isOption = entries.first { $0.key == key }?.value.isOption ?? false
            if let folder, !found.hasPrefix("/") {
                let start = isOption ? FileManager.default.currentDirectoryPath : folder
                value = start + "/" + found
            }
        }
        note(key, .text(value))
    }

    /// A name, or `null`.
    package mutating func optionalText(_ key: String, _ value: inout String?) throws(ConfigurationError) {
        if let node = entries.first(where: { $0.key == key })?.value {
            switch node.value {
            case .scalar(let text, let quoted):
                value = !quoted && ["", "null", "~"].contains(text) ? nil : text
                if value?.isEmpty == true { throw bad(key, "a name or null") }
            case .list, .mapping: throw bad(key, "a name or null")
            }
        }
        note(key, value.map(YAMLText.text) ?? .scalar("null"))
    }

    package mutating func texts(_ key: String, _ value: inout [String]) throws(ConfigurationError) {
        if let node = entries.first(where: { $0.key == key })?.value {
            value = try scalars(key, node, expected: "a list of names, such as [t1, flair]")
            guard Set(value).count == value.count, !value.contains("") else {
                throw bad(key, "a list of different names", found: "[\(value.joined(separator: ", "))]")
            }
        }
        note(key, .list(value.map(YAMLText.text)))
    }

    /// One length for all axes, or one each for depth, height and width.
    package mutating func lengths(
        _ key: String, _ value: inout [Int], _ range: ClosedRange<Int>
    ) throws(ConfigurationError) {
        let expected =
            "a whole number from \(range.lowerBound) to \(range.upperBound), or a list of three for depth, height, width"
        if let node = entries.first(where: { $0.key == key })?.value {
            let texts: [String]
            if case .scalar(let text, _) = node.value {
                texts = [text, text, text]
            } else {
                texts = try scalars(key, node, expected: expected)
            }
            let numbers = texts.compactMap(Int.init).filter(range.contains)
            guard texts.count == 3, numbers.count == 3 else { throw bad(key, expected) }
            value = numbers
        }
        let cube = Set(value).count == 1
        note(key, cube ? .number(value[0]) : .list(value.map(YAMLText.number)))
    }

    /// New label to the labels that become it, or to `others`.
    package mutating func labels(
        _ key: String, _ value: inout LabelMerging, _ range: ClosedRange<Int>
    ) throws(ConfigurationError) {
        let expected =
            "a mapping of new label to old ones, such as {1: [1, 2, 4]} or {1: [37, 38], 0: others}, labels from "
            + "\(range.lowerBound) to \(range.upperBound), each old one once, and others at most once"
        if let node = entries.first(where: { $0.key == key })?.value {
            var merged: [Int: [Int]] = [:]
            var others: Int?
            switch node.value {
            case .mapping(let pairs):
                for pair in pairs {
                    guard let new = Int(pair.key), range.contains(new), merged[new] == nil, others != new
                    else { throw bad(key, expected, found: "a mapping with the key '\(pair.key)'") }
                    if case .scalar("others", _) = pair.value.value {
                        guard others == nil else {
                            throw bad(key, expected, found: "a mapping with 'others' twice")
                        }
                        others = new
                        continue
                    }
                    let old = try scalars(key, pair.value, expected: expected).map(Int.init)
                    merged[new] = old.compactMap { $0 }.sorted()
                    let valid = old.allSatisfy { label in label.map(range.contains) ?? false }
                    guard valid, !old.isEmpty else {
                        throw bad(key, expected, found: "\(new): \(pair.value.shown)")
                    }
                }
            case .scalar("", quoted: false): break
            case .scalar, .list: throw bad(key, expected)
            }
            let all = merged.values.flatMap { $0 }
            if let twice = all.first(where: { label in all.count { $0 == label } > 1 }) {
                throw bad(key, expected, found: "a mapping that names label \(twice) twice")
            }
            do {
                value = try LabelMerging(merged, others: others)
            } catch {
                throw bad(key, expected, found: "a mapping that gives a label to two classes")
            }
        }
        let pairs = value.targets.map { target in
            let labels = value.lists[target].map { YAMLText.list($0.map(YAMLText.number)) }
            return YAMLText.KeyText(key: "\(target)", value: labels ?? .text("others"))
        }
        note(key, .inlineMapping(pairs))
    }

    /// Choices with a number above 0 each, such as `{wce: 0.5}`.
    package mutating func weights<Choice: ConfigurationChoice & Hashable>(
        _ key: String, _ value: inout [Choice: Double]
    ) throws(ConfigurationError) {
        let expected =
            "a mapping of \(Choice.names.joined(separator: ", ")) to numbers above 0, such as "
            + "{\(Choice.names.last ?? ""): 0.5}"
        if let node = entries.first(where: { $0.key == key })?.value {
            value = [:]
            switch node.value {
            case .mapping(let pairs):
                for pair in pairs {
                    guard let choice = Choice(rawValue: pair.key) else {
                        throw bad(key, expected, found: "a mapping with the key '\(pair.key)'")
                    }
                    guard case .scalar(let text, _) = pair.value.value, let number = Double(text),
                        number.isFinite, number > 0
                    else { throw bad(key, expected, found: "\(pair.key): \(pair.value.shown)") }
                    value[choice] = number
                }
            case .scalar("", quoted: false): break
            case .scalar, .list: throw bad(key, expected)
            }
        }
        let pairs = value.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { YAMLText.KeyText(key: $0.key.rawValue, value: .number($0.value)) }
        note(key, .inlineMapping(pairs))
    }

    /// A key that is gone since it had one value: passed over with a warning where it has that, and refused
    /// where it has another.
    package mutating func retired(_ key: String, value: String) throws(ConfigurationError) {
        retired.insert(key)
        guard let found = try scalar(key, "no such key, since there is only \(value): remove it") else {
            return
        }
        guard found == value else { throw bad(key, "no such key, since there is only \(value): remove it") }
        warnings.append(
            "\(place(of: key)): the key '\(fullName(key))' has no effect any more, since there is only \(value): "
                + "remove it.")
    }

    /// A key that does not belong to the choice that was made; it is neither read nor written.
    package mutating func skip(_ key: String, appliesTo condition: String) { inapplicable[key] = condition }

    /// Keys that are not of this mapping and that an unknown name may mean, with their full paths.
    package mutating func mayMean(_ keys: [String]) { paths += keys }

    /// Refuses the keys that nothing has named. Unknown names are compared with those of this mapping, and
    /// with the full paths below it.
    package mutating func finish() throws(ConfigurationError) {
        for entry in entries where !names.contains(entry.key) && !retired.contains(entry.key) {
            let fault: ConfigurationError.Fault
            if let condition = inapplicable[entry.key] {
                fault = .inapplicableKey(fullName(entry.key), appliesTo: condition)
            } else {
                let known = names.map(fullName)
                fault = .unknownKey(
                    fullName(entry.key),
                    nearest: nearestName(to: entry.key, in: known + paths, aliases: Self.aliases),
                    known: known)
            }
            throw ConfigurationError(origin: entry.origin, fault: fault)
        }
        paths += names.map(fullName)
    }

    // MARK: Helpers

    mutating func note(_ key: String, _ text: YAMLText) {
        names.append(key)
        resolved.append(.init(key: key, value: text))
    }

    private func place(of key: String) -> String { entries.first { $0.key == key }?.origin ?? origin }

    func bad(_ key: String, _ expected: String, found: String? = nil) -> ConfigurationError {
        let node = entries.first { $0.key == key }?.value
        return failure(key, found: found ?? node?.shown ?? "missing", expected: expected)
    }

    func scalar(_ key: String, _ expected: String) throws(ConfigurationError) -> String? {
        guard let node = entries.first(where: { $0.key == key })?.value else { return nil }
        guard case .scalar(let text, _) = node.value else { throw bad(key, expected) }
        return text
    }

    func scalars(
        _ key: String, _ node: ConfigurationNode, expected: String
    ) throws(ConfigurationError) -> [String] {
        guard case .list(let items) = node.value else { throw bad(key, expected, found: node.shown) }
        var texts: [String] = []
        for item in items {
            guard case .scalar(let text, _) = item.value else { throw bad(key, expected, found: item.shown) }
            texts.append(text)
        }
        return texts
    }
}
