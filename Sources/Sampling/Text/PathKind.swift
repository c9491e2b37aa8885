import Foundation

/// What stands at a path, for sentences about a folder where a file is expected and the other way round.
public enum PathKind {
    public static func isFolder(_ path: String) -> Bool { kind(path) == true }

    /// Whether something stands there that is no folder.
    public static func isFile(_ path: String) -> Bool { kind(path) == false }

    /// The first file in a folder whose name has one of the endings, by its path.
    public static func example(in folder: String, _ endings: [String]) -> String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let name = names.sorted().first { name in
            !name.hasPrefix(".") && endings.contains { name.hasSuffix($0) }
        }
        return name.map { folder + (folder.hasSuffix("/") ? "" : "/") + $0 }
    }

    private static func kind(_ path: String) -> Bool? {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) ? isFolder.boolValue : nil
    }
}
