import Engine
import Foundation

/// What memory the machine has left for this process.
public enum Memory {
    /// Free memory of the machine or of the process's control groups, whichever is less; nil where neither is told.
    public static var availableBytes: Int? { availableBytes(root: "") }

    /// - Parameter root: The folder that `/proc` and `/sys` are in.
    static func availableBytes(root: String) -> Int? {
        let groups = MemoryLimit.freeBytes(
            groups: text(root + "/proc/self/cgroup"), mount: root + "/sys/fs/cgroup")
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
    /// Bytes that are left; nil without a limit. `groups` is the text of `/proc/self/cgroup`. The limit of a group holds
    /// for those below it together, so that the least of what is left counts; inside a container the path may not exist
    /// below `mount`, whose own files then are the container's.
    static func freeBytes(groups: String, mount: String) -> Int? {
        var free: [Int] = []
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isUnified = fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains("memory") else { continue }
            let files = isUnified ? Files.unified : Files.legacy
            var components = fields[2].split(separator: "/")
            while true {
                let folder = ([mount] + (isUnified ? [] : ["memory"]) + components.map(String.init))
                    .joined(separator: "/")
                if let bytes = files.freeBytes(folder) { free.append(bytes) }
                if components.popLast() == nil { break }
            }
        }
        return free.min()
    }

    /// What the files of a group are called, in each version of control groups.
    private struct Files {
        let limit: String, used: String
        /// Of `memory.stat`: bytes of files that were read a while ago, which the kernel gives up for what needs room.
        let reclaimable: String

        static let unified = Files(limit: "memory.max", used: "memory.current", reclaimable: "inactive_file")
        static let legacy = Files(
            limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", reclaimable: "total_inactive_file")

        func freeBytes(_ folder: String) -> Int? {
            func number(_ name: String) -> Int? {
                Int(Memory.text(folder + "/" + name).trimmingCharacters(in: .whitespacesAndNewlines))
            }
            // Version 2 has "max" where there is no limit, version 1 a number that no machine reaches.
            guard let limit = number(limit), limit < 1 << 60, let used = number(used) else { return nil }
            let cached = Memory.value(of: reclaimable, in: Memory.text(folder + "/memory.stat")) ?? 0
            return max(0, limit - max(0, used - cached))
        }
    }
}
