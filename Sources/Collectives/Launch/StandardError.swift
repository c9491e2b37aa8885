import Foundation

/// Standard error, for what a program says beside its results.
public enum StandardError {
    /// Writes a text as it is, or as much of it as is taken: what cannot be said, since a disk is full or
    /// nobody reads any more, must not end a run. (`FileHandle.write(_:)` would.)
    public static func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
