import Foundation

/// The control groups that a process is in: those of a container, or of a job under Slurm.
///
/// The limit of a group holds for all below it, so that each group on the way up counts. Inside a container
/// the path may not exist below `mount`, whose own files then are the container's.
public struct ControlGroups {
    /// The text of `/proc/self/cgroup`.
    let groups: String
    /// Where the groups' files are: `/sys/fs/cgroup`.
    let mount: String

    /// - Parameter root: The folder that `/proc` and `/sys` are in; empty for this machine's.
    public init(root: String = "") {
        self.init(
            groups: (try? String(contentsOfFile: root + "/proc/self/cgroup", encoding: .utf8)) ?? "",
            mount: root + "/sys/fs/cgroup")
    }

    /// - Parameters:
    ///   - groups: the text of `/proc/self/cgroup`: a line a hierarchy, `number:controllers:path`.
    ///   - mount: the folder that the paths start at.
    public init(groups: String, mount: String) { (self.groups, self.mount) = (groups, mount) }

    /// A group's folder and what its files are called.
    public struct Folder {
        /// Version 2 has one hierarchy for all controllers, version 1 one each.
        public let isUnified: Bool
        let path: String

        /// The text of one of its files; empty where it cannot be read.
        public func text(_ name: String) -> String {
            (try? String(contentsOfFile: path + "/" + name, encoding: .utf8)) ?? ""
        }

        /// The number that one of its files holds; nil for a word such as "max".
        public func number<Number: LosslessStringConvertible>(_ name: String) -> Number? {
            Number(text(name).trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }

    /// The least of what the process's groups and those above them set; nil where none sets anything.
    /// - Parameters:
    ///   - controller: "cpu" or "memory".
    ///   - limit: what a group sets, nil for nothing.
    public func least<Value: Comparable>(of controller: String, _ limit: (Folder) -> Value?) -> Value? {
        var limits: [Value] = []
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isUnified = fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains(Substring(controller)) else {
                continue
            }
            var components = fields[2].split(separator: "/").map(String.init)
            while true {
                let path = ([mount] + (isUnified ? [] : [controller]) + components).joined(separator: "/")
                if let value = limit(Folder(isUnified: isUnified, path: path)) { limits.append(value) }
                if components.popLast() == nil { break }
            }
        }
        return limits.min()
    }
}
