import Foundation

/// Which file a path leads to, whatever it is written like: `a`, `./a`, a link to `a` and another hard link
/// of its are equal.
package struct FileIdentity: Hashable {
    private enum Place: Hashable {
        case file(device: UInt64, inode: UInt64)
        /// Where nothing is: the real path of the folder above it that is there, and what follows.
        case nothing(String)
    }

    private let place: Place

    /// Whether a path leads below a folder, which need not be there yet.
    package static func isInside(_ path: String, _ folder: String) -> Bool {
        let whole = FileIdentity(folder)
        var above = URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent().path
        while true {
            if FileIdentity(above) == whole { return true }
            if above == "/" { return false }
            above = (above as NSString).deletingLastPathComponent
        }
    }

    package init(_ path: String) {
        var status = stat()
        if stat(path, &status) == 0 {
            place = .file(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
            return
        }
        var folder = URL(fileURLWithPath: path).standardizedFileURL.path
        var rest: [String] = []
        while folder != "/" {
            if let real = realpath(folder, nil) {
                defer { free(real) }
                folder = String(cString: real)
                break
            }
            rest.insert((folder as NSString).lastPathComponent, at: 0)
            folder = (folder as NSString).deletingLastPathComponent
        }
        place = .nothing(([folder] + rest).joined(separator: "/"))
    }
}
