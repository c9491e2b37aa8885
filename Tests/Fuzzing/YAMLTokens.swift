/// What is YAML's own, for damaged documents.
public enum YAMLTokens {
    /// Nine lines that stand for a billion values.
    public static let laughs = (1...9).reduce("a0: &a0 [x, x, x, x, x, x, x, x, x, x]") { text, level in
        text + "\na\(level): &a\(level) ["
            + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ") + "]"
    }

    public static let all = [
        "&a", "*a", "<<: *a", "a: &a [*a]", "&a {b: *a}", "!!binary", "!!float", "!x", "---", "...", "? ",
        ": ",
        "|", ">", "%YAML 1.2", "%TAG ! x", "- ", "#", "@", "`", "{a: 1, a: 2}", "[[", "]]", "{{", "}}",
        laughs,
        String(repeating: "[", count: 300), String(repeating: "[", count: 20_000),
        String(repeating: "{a: ", count: 3_000), String(repeating: "- ", count: 3_000),
    ]
}
