/// What a subject may be called: its name becomes that of files.
public enum SubjectName {
    /// Bytes of UTF-8. A file's name has 255 at most, and the longest that is added is
    /// `_probabilities_255.nii.gz.4194304.unfinished`.
    static let longest = 255 - 44

    /// What is wrong with a name, as the end of "... names the subject "a/b", ", with what to write instead;
    /// nil where nothing is.
    public static func fault(of name: String) -> String? {
        let better = suggestion(for: name)
        let remedy = better.isEmpty ? "" : "; write \"\(better)\" instead"
        if name.isEmpty { return "and a name is expected" }
        if name == "." || name == ".." { return "which is a folder, and a name is expected" }
        if name.contains("/") {
            return "and a name of files is expected, without a folder (/)\(remedy)"
        }
        if name.unicodeScalars.contains(where: isControl) {
            return "which holds a control character, and a name of files is expected\(remedy)"
        }
        if name.hasPrefix(".") {
            return "and its files would be hidden, as their names would begin with a period\(remedy)"
        }
        if name.utf8.count > longest {
            return
                "which has \(counted(name.utf8.count, "byte")), and \(longest) are the most that a file's name leaves"
        }
        return nil
    }

    /// The name with what it must not hold replaced.
    private static func suggestion(for name: String) -> String {
        var text = ""
        for scalar in name.unicodeScalars where !(text.isEmpty && (scalar == "." || scalar == "/")) {
            text.unicodeScalars.append(scalar == "/" || isControl(scalar) ? "_" : scalar)
        }
        // Of ../../name the name.
        while text.hasPrefix("_") || text.hasPrefix(".") { text.removeFirst() }
        return text.utf8.count > longest ? "" : text
    }

    /// Such as a line's end or what moves a terminal's cursor.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
    }
}
