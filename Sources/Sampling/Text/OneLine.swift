/// A message on one line: what ends lines, moves a cursor or turns the direction of writing becomes a space.
/// Texts that come from files may hold anything.
public func oneLine(_ text: String) -> String {
    func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format: scalar.value == 0x200D
        default: true
        }
    }
    if text.unicodeScalars.allSatisfy(isPlain) { return text }
    var line = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { line.append(isPlain(scalar) ? scalar : " ") }
    return String(line)
}

/// A text from a file as a message quotes it: its first 60 letters, and what follows as `…`.
public func excerpt(_ text: String, letters: Int = 60) -> String {
    text.count > letters ? text.prefix(letters) + "…" : text
}
