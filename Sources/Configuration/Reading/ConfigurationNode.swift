import Foundation
import Yams

/// A YAML value that remembers where it came from: a line of a file, or an option.
package struct ConfigurationNode {
    package enum Value {
        /// `quoted` scalars are text whatever they look like.
        case scalar(String, quoted: Bool)
        case list([ConfigurationNode])
        case mapping([Entry])
    }

    package struct Entry {
        package let key: String
        /// The place of the key.
        package let origin: String
        package var value: ConfigurationNode
    }

    package var value: Value
    package var origin: String
    /// Whether an option of the command line gave it.
    var isOption = false

    package init(value: Value, origin: String) { (self.value, self.origin) = (value, origin) }

    /// The value as an error message shows it.
    package var shown: String {
        switch value {
        case .scalar(let text, _): "'\(text)'"
        case .list(let items): "a list of \(items.count)"
        case .mapping: "a mapping"
        }
    }
}

extension ConfigurationNode {
    /// - Parameters:
    ///   - yaml: one YAML document; an empty one is an empty mapping.
    ///   - name: the file's name for messages.
    /// - Throws: ``ConfigurationError`` with the line where the YAML is broken or repeats a key.
    package init(yaml: String, name: String) throws(ConfigurationError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch let error as YamlError {
            throw ConfigurationError(yamlError: error, name: name)
        } catch {
            throw ConfigurationError(origin: name, fault: .unreadable("no valid YAML, \(error)"))
        }
        guard let root else {
            self.init(value: .mapping([]), origin: name)
            return
        }
        var count = 0
        try self.init(root, count: &count) { mark in mark.map { "\(name):\($0.line)" } ?? name }
    }

    /// Values of one document: anchors that name each other make billions of a few lines.
    private static let mostValues = 100_000

    private init(
        _ node: Node, count: inout Int, origin: (Mark?) -> String
    ) throws(ConfigurationError) {
        count += 1
        guard count <= Self.mostValues else {
            throw ConfigurationError(
                origin: origin(node.mark),
                fault: .unreadable(
                    "with its aliases written out, the file has more than \(Self.mostValues) values"))
        }
        let value: Value
        switch node {
        case .scalar(let scalar):
            let quoted = scalar.style == .singleQuoted || scalar.style == .doubleQuoted
            value = .scalar(scalar.string, quoted: quoted)
        case .sequence(let sequence):
            var items: [ConfigurationNode] = []
            for item in sequence { items.append(try ConfigurationNode(item, count: &count, origin: origin)) }
            value = .list(items)
        case .mapping(let mapping):
            var entries: [Entry] = []
            for (key, value) in mapping {
                entries.append(
                    Entry(
                        key: key.scalar?.string ?? "(no scalar)", origin: origin(key.mark),
                        value: try ConfigurationNode(value, count: &count, origin: origin)))
            }
            value = .mapping(entries)
        case .alias:
            value = .scalar("", quoted: false)
        }
        self.init(value: value, origin: origin(node.mark))
    }

    /// Sets the value of an option `--set key.sub=value`; the value is read as YAML.
    package mutating func override(_ option: String) throws(ConfigurationError) {
        let origin = "--set \(option)"
        guard let equals = option.firstIndex(of: "=") else {
            throw ConfigurationError(origin: origin, fault: .malformedOverride)
        }
        let keys = option[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard keys.allSatisfy({ !$0.isEmpty }) else {
            throw ConfigurationError(origin: origin, fault: .malformedOverride)
        }
        var value = try ConfigurationNode(yaml: String(option[option.index(after: equals)...]), name: origin)
        if case .mapping(let entries) = value.value, entries.isEmpty {
            value.value = .scalar("", quoted: false)
        }
        value.relocate(to: origin)
        try set(value, at: keys[...], path: "")
    }

    /// Sets the value at a path of keys; mappings on the way to it are made where they are missing.
    /// - Parameter path: what stands before the keys in messages.
    package mutating func set(
        _ new: ConfigurationNode, at keys: ArraySlice<String>, path: String
    ) throws(ConfigurationError) {
        guard let key = keys.first else {
            self = new
            return
        }
        var entries: [Entry]
        switch value {
        case .mapping(let existing): entries = existing
        case .scalar("", quoted: false): entries = []
        case .scalar, .list:
            let keyPath = path + (path.isEmpty ? "" : ".") + keys.joined(separator: ".")
            throw ConfigurationError(
                origin: new.origin,
                fault: .badValue(key: path, found: shown, expected: "a mapping that can hold '\(keyPath)'"))
        }
        let index = entries.firstIndex { $0.key == key } ?? entries.count
        if index == entries.count {
            entries.append(
                Entry(key: key, origin: new.origin, value: .init(value: .mapping([]), origin: new.origin)))
        }
        var child = entries[index].value
        try child.set(new, at: keys.dropFirst(), path: path.isEmpty ? key : "\(path).\(key)")
        entries[index] = Entry(key: key, origin: new.origin, value: child)
        value = .mapping(entries)
    }

    /// The first of some keys that a mapping has.
    package func firstKey(of names: [String]) -> String? {
        guard case .mapping(let entries) = value else { return nil }
        return names.first { name in entries.contains { $0.key == name } }
    }

    /// The place of the value at a path of keys; nil where there is none.
    package func origin(of keys: ArraySlice<String>) -> String? {
        guard let key = keys.first else { return origin }
        guard case .mapping(let entries) = value else { return nil }
        return entries.first { $0.key == key }?.value.origin(of: keys.dropFirst())
    }

    /// Takes it for what an option gives.
    private mutating func relocate(to place: String) {
        origin = place
        isOption = true
        switch value {
        case .scalar: break
        case .list(var items):
            for index in items.indices { items[index].relocate(to: place) }
            value = .list(items)
        case .mapping(let entries):
            value = .mapping(
                entries.map { entry in
                    var moved = entry.value
                    moved.relocate(to: place)
                    return Entry(key: entry.key, origin: place, value: moved)
                })
        }
    }
}

extension ConfigurationError {
    fileprivate init(yamlError: YamlError, name: String) {
        func at(_ mark: Mark, _ reason: String) -> ConfigurationError {
            ConfigurationError(origin: "\(name):\(mark.line)", fault: .unreadable(reason))
        }
        switch yamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            self = at(mark, "no valid YAML, \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            self = at(
                context.mark,
                "the mapping that begins here has more than once the key \(Self.quoted(duplicates.sorted()))")
        case .reader(let problem, _, _, _):
            self.init(origin: name, fault: .unreadable("no valid YAML, \(problem)"))
        default:
            self.init(origin: name, fault: .unreadable("no valid YAML, \(yamlError)"))
        }
    }
}
