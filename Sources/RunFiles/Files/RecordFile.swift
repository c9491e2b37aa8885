import Foundation
import Sampling
import SystemPackage

/// A file to which records are appended, each whole or not at all.
///
/// Records that the file system does not take stay in memory, in order, and are tried again with the next:
/// after a disk was full for a while nothing is missing, and nothing stands half written before what follows.
final class RecordFile {
    let path: String
    /// Nil before the first attempt that could open it.
    private var file: FileDescriptor?
    /// Bytes of whole records on disk.
    private var length: Int64 = 0
    /// Whether part of a record may stand after them.
    private var isTorn = false
    private var waiting: [[UInt8]] = []

    /// - Parameter path: opened with the first record or ``flush()``, and made when it is missing, with its
    ///   folder.
    init(path: String) { self.path = path }

    deinit { try? file?.close() }

    /// Appends a record after those that wait.
    /// - Throws: ``FileError``; the record then waits.
    func append(_ record: [UInt8]) throws {
        waiting.append(record)
        try flush()
    }

    /// Lets a record wait for the next ``append(_:)`` or ``flush()``.
    func hold(_ record: [UInt8]) { waiting.append(record) }

    /// Writes the records that wait.
    /// - Throws: ``FileError``; those that are not on disk then wait.
    func flush() throws {
        let file = try file ?? open()
        self.file = file
        var written = 0
        defer { waiting.removeFirst(written) }
        do {
            try repair(file)
            for record in waiting {
                isTorn = true
                try file.writeAll(record)
                isTorn = false
                length += Int64(record.count)
                written += 1
            }
        } catch let reason as Errno {
            try? repair(file)
            throw FileError("'\(path)' could not be written", reason)
        }
    }

    /// Writes the records that wait, and returns when all are on the disk itself.
    /// - Throws: ``FileError``.
    func synchronise() throws {
        try flush()
        do {
            try file.map(AtomicFile.synchronise)
        } catch let reason as Errno {
            throw FileError("'\(path)' could not be written", reason)
        }
    }

    private func repair(_ file: FileDescriptor) throws {
        guard isTorn else { return }
        try file.resize(to: length)
        isTorn = false
    }

    private func open() throws -> FileDescriptor {
        let folder = FilePath(path).removingLastComponent().string
        do {
            if !folder.isEmpty {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
        } catch {
            throw FileError("the folder '\(folder)' could not be made", Errno(foundation: error))
        }
        do {
            let file = try FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.create, .append, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            length = try file.seek(offset: 0, from: .end)
            return file
        } catch let reason as Errno {
            throw FileError("'\(path)' could not be opened for writing", reason)
        }
    }
}

extension RecordFile {
    /// What the file at `path` holds; nil only where there is none.
    /// - Throws: ``FileError``.
    static func text(_ path: String) throws -> String? {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
            return try file.closeAfter {
                let bytes = try FileHandle(fileDescriptor: file.rawValue).readToEnd() ?? Data()
                return String(decoding: bytes, as: UTF8.self)
            }
        } catch Errno.noSuchFileOrDirectory {
            if let link = DanglingLink(at: path) { throw link }
            return nil
        } catch let reason as Errno {
            throw FileError("'\(path)' could not be read", reason)
        } catch {
            throw FileError("'\(path)' could not be read", foundation: error)
        }
    }
}
