/// A value as it stands in the resolved configuration.
enum YAMLText: Equatable, Sendable {
    case scalar(String)
    case list([YAMLText])
    /// On one line: `{1: [1, 2]}`.
    case inlineMapping([KeyText])
    case mapping([KeyText])

    struct KeyText: Equatable, Sendable {
        let key: String
        let value: YAMLText
    }

    static func text(_ text: String) -> YAMLText { .scalar(quotedIfNeeded(text)) }

    static func number(_ value: Double) -> YAMLText {
        // YAML 1.1 reads 1e-05 as text: a number needs its point.
        let text = "\(value)"
        guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return .scalar(text) }
        return .scalar(text[..<exponent] + ".0" + text[exponent...])
    }

    static func number(_ value: Int) -> YAMLText { .scalar("\(value)") }

    /// One document, two spaces a level.
    var document: String {
        var lines: [String] = []
        append(to: &lines, indentation: "")
        return lines.map { $0 + "\n" }.joined()
    }

    /// The values by full key, in order.
    func flattened(prefix: String = "") -> [(key: String, text: String)] {
        guard case .mapping(let pairs) = self else { return [(prefix, inline)] }
        return pairs.flatMap { $0.value.flattened(prefix: prefix.isEmpty ? $0.key : "\(prefix).\($0.key)") }
    }

    private func append(to lines: inout [String], indentation: String) {
        guard case .mapping(let pairs) = self else { return }
        for pair in pairs {
            if case .mapping = pair.value {
                lines.append("\(indentation)\(pair.key):")
                pair.value.append(to: &lines, indentation: indentation + "  ")
            } else {
                lines.append("\(indentation)\(pair.key): \(pair.value.inline)")
            }
        }
    }

    private var inline: String {
        switch self {
        case .scalar(let text): text
        case .list(let items): "[" + items.map(\.inline).joined(separator: ", ") + "]"
        case .inlineMapping(let pairs), .mapping(let pairs):
            "{" + pairs.map { "\($0.key): \($0.value.inline)" }.joined(separator: ", ") + "}"
        }
    }

    private static func quotedIfNeeded(_ text: String) -> String {
        let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        let plain =
            text.first.map { $0.isASCII && ($0.isLetter || "/_.".contains($0)) } ?? false
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/_.-+".contains($0)) }
            && !reserved.contains(text.lowercased()) && Double(text) == nil && !text.hasPrefix(".")
        return plain ? text : doubleQuoted(text)
    }

    private static func doubleQuoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                quoted += "\\x" + (digits.count == 1 ? "0" : "") + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
