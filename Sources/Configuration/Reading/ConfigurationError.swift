import Sampling

/// What is wrong with a configuration: where, which key, what was found and what was expected.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of fault; each carries what its sentence needs.
    public enum Fault: Equatable, Sendable {
        /// The file cannot be read or is no YAML.
        case unreadable(String)
        /// No such key. `nearest` is the known key that was most likely meant, `known` are those of the same
        /// mapping; all with their full paths.
        case unknownKey(String, nearest: String?, known: [String])
        /// A configuration of another kind than the one that was asked for: what it is, and what to do with
        /// it.
        case otherKind(String, key: String, advice: String)
        /// The value has another type or lies outside its range.
        case badValue(key: String, found: String, expected: String)
        /// A key that belongs to another choice than the one made, such as Adam's `beta1` under SGD.
        case inapplicableKey(String, appliesTo: String)
        /// A key without default is missing.
        case missingKey(String)
        /// An option `--set` that is no `key.sub=value`.
        case malformedOverride
    }

    /// The place: `config.yaml:12`, or `--set optimizer.name=adam`.
    public let origin: String
    /// What is wrong there.
    public let fault: Fault

    package init(origin: String, fault: Fault) { (self.origin, self.fault) = (origin, fault) }

    /// One sentence.
    public var description: String { oneLine("\(origin): \(sentence).") }

    private var sentence: String {
        switch fault {
        case .unreadable(let reason):
            excerpt(reason, letters: 200)
        case .unknownKey(let key, let nearest?, _):
            "unknown key '\(excerpt(key))', the nearest known key is '\(nearest)'"
        case .unknownKey(let key, nil, let known):
            "unknown key '\(excerpt(key))', known here are \(Self.quoted(known))"
        case .otherKind(let kind, let key, let advice):
            "this is \(kind), as its key '\(key)' tells: \(advice)"
        case .badValue(let key, let found, let expected):
            "\(excerpt(key)) is \(excerpt(found)), expected \(expected)"
        case .inapplicableKey(let key, let condition):
            "'\(excerpt(key))' applies only to \(condition)"
        case .missingKey(let key):
            "the key '\(excerpt(key))' is missing, it has no default"
        case .malformedOverride:
            "expected --set key.sub=value, such as --set optimizer.learning_rate=0.001"
        }
    }

    package static func quoted(_ names: [String]) -> String {
        names.map { "'\($0)'" }.joined(separator: ", ")
    }
}
