import Foundation

/// What tests do with files that a run has left.
public enum Files {
    /// Names in a folder, sorted.
    public static func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    /// Changes one byte of a file.
    /// - Parameter index: of the byte; below 0 it counts from the end.
    public static func change(_ path: String, at index: Int, _ body: (inout UInt8) -> Void) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        body(&data[index < 0 ? data.count + index : index])
        try data.write(to: URL(fileURLWithPath: path))
    }
}
