import Foundation

/// What memory the machine has left for this process.
public enum Memory {
    /// Free memory of the machine or of the process's control groups, whichever is less; nil where neither is
    /// told.
    public static var availableBytes: Int? { availableBytes(root: "") }

    /// - Parameter root: The folder that `/proc` and `/sys` are in.
    static func availableBytes(root: String) -> Int? {
        let groups = MemoryLimit.freeBytes(ControlGroups(root: root))
        let machine = value(of: "MemAvailable:", in: text(root + "/proc/meminfo")).map { $0 << 10 }
        return [machine, groups].compactMap { $0 }.min()
    }

    /// The number that follows `key` in a text of a key a line; nil without one.
    fileprivate static func value(of key: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count > 1, words[0] == key { return Int(words[1]) }
        }
        return nil
    }

    /// What a file holds; empty where it cannot be read.
    fileprivate static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}

/// The limit that control groups set on memory: those of a container, or of a job under Slurm.
enum MemoryLimit {
    /// Bytes that the groups of a process leave it; nil without a limit. A group's limit holds for those
    /// below it together, so that the least of what is left counts.
    static func freeBytes(_ groups: ControlGroups) -> Int? {
        groups.least(of: "memory") { folder in
            (folder.isUnified ? Files.unified : Files.legacy).freeBytes(folder)
        }
    }

    /// What the files of a group are called, in each version of control groups.
    private struct Files {
        let limit: String, used: String
        /// Of `memory.stat`: bytes of files that were read a while ago, which the kernel gives up for what
        /// needs room.
        let reclaimable: String

        static let unified = Files(limit: "memory.max", used: "memory.current", reclaimable: "inactive_file")
        static let legacy = Files(
            limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", reclaimable: "total_inactive_file")

        func freeBytes(_ folder: ControlGroups.Folder) -> Int? {
            // Version 2 has "max" where there is no limit, version 1 a number that no machine reaches.
            guard let limit: Int = folder.number(limit), limit < 1 << 60, let used: Int = folder.number(used)
            else { return nil }
            let cached = Memory.value(of: reclaimable, in: folder.text("memory.stat")) ?? 0
            return max(0, limit - max(0, used - cached))
        }
    }
}
