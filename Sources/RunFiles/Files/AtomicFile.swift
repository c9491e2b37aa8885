import Glibc
import SystemPackage

/// Files that are whole or not there: written aside in the same folder, synchronised, then renamed.
///
/// The temporary file of `a` is `.a.partial`; one that a killed process has left is overwritten.
public enum AtomicFile {
    /// Replaces the file at `path` by what `body` writes, or leaves it as it was.
    /// - Parameters:
    ///   - verify: looks at the whole file, by its temporary path, before it takes the name; throws when not
    ///     content.
    ///   - body: writes the content; an `Errno` that it throws is the failure's reason.
    /// - Throws: ``FileError`` that names the file and the system's reason, such as a full disk. The
    ///   temporary file is gone then.
    public static func write(
        _ path: String, verify: (String) throws -> Void = { _ in }, _ body: (FileDescriptor) throws -> Void
    ) throws {
        let target = FilePath(path)
        let partial = temporary(for: target)
        do {
            let file = try FileDescriptor.open(
                partial, .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            do {
                try file.closeAfter {
                    try body(file)
                    try synchronise(file)
                }
                try verify(partial.string)
                try rename(partial, to: target)
            } catch {
                unlink(partial.string)
                throw error
            }
            try synchroniseFolder(of: target)
        } catch let reason as Errno {
            throw FileError("'\(path)' could not be written", reason)
        }
    }

    /// Replaces the file at `path` by `bytes`; see ``write(_:verify:_:)``.
    public static func write(_ path: String, bytes: some Sequence<UInt8>) throws {
        try write(path) { file in _ = try file.writeAll(bytes) }
    }

    /// Replaces the file at `path` by `text` in UTF-8; see ``write(_:verify:_:)``.
    public static func write(_ path: String, text: String) throws { try write(path, bytes: Array(text.utf8)) }

    /// Checks that a file at `path` could be written, leaving one that is there as it is.
    /// - Throws: ``FileError``.
    package static func checkWritable(_ path: String) throws {
        let target = FilePath(path)
        do {
            var status = stat()
            if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { throw Errno.isDirectory }
            let partial = temporary(for: target)
            defer { unlink(partial.string) }
            try FileDescriptor.open(
                partial, .writeOnly, options: [.create, .closeOnExec], permissions: .ownerReadWrite
            ).close()
        } catch let reason as Errno {
            throw FileError("'\(path)' could not be written", reason)
        }
    }

    /// Removes what a killed process may have left of writing `path`.
    static func removeTemporary(of path: String) { unlink(temporary(for: FilePath(path)).string) }

    /// Whether a file name is that of a temporary file.
    static func isTemporary(_ name: String) -> Bool { name.hasPrefix(".") && name.hasSuffix(".partial") }

    private static func temporary(for target: FilePath) -> FilePath {
        let name = target.lastComponent?.string ?? "file"
        return target.removingLastComponent().appending(".\(name).partial")
    }

    /// Returns when what was written is on the disk itself.
    /// - Throws: `Errno`.
    static func synchronise(_ file: FileDescriptor) throws {
        while fsync(file.rawValue) != 0 {
            let reason = Errno(rawValue: errno)
            if reason != .interrupted { throw reason }
        }
    }

    private static func rename(_ source: FilePath, to target: FilePath) throws {
        guard Glibc.rename(source.string, target.string) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Makes the new name durable. Some file systems cannot synchronise a folder; the rename stands all the
    /// same.
    private static func synchroniseFolder(of target: FilePath) throws {
        let parent = target.removingLastComponent()
        let folder = try FileDescriptor.open(parent.isEmpty ? "." : parent, .readOnly, options: [.directory])
        try folder.closeAfter {
            do {
                try synchronise(folder)
            } catch Errno.invalidArgument, Errno.notSupported {}
        }
    }
}
