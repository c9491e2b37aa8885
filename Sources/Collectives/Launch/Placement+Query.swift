import Foundation
import Host

extension Placement {
    /// Asks the operating system, and the other ranks. Collective; `threads` must be the same on all ranks.
    public static func query(
        on communicator: any Communicator, threads: ThreadRequest = .automatic
    ) throws(MPIError) -> Placement {
        let own = Resources.current(rank: communicator.rank)
        let all = try communicator.allGatherVariable(own.bytes)
        let node = communicator.ranksOnNode.map { Resources(rank: $0, bytes: all[$0]) }
        return Placement(
            rank: communicator.rank, host: communicator.hostNames[communicator.rank], node: node,
            threads: threads)
    }
}

extension Placement.Resources {
    static func current(rank: Int) -> Placement.Resources {
        let cores =
            AffinityMask.cores(ofProcess: "self")
            ?? Array(0..<max(1, ProcessInfo.processInfo.activeProcessorCount))
        // Alone there is no launcher, and a mask set with `taskset` is meant.
        let launcher = Launch.current() == nil ? nil : AffinityMask.cores(ofProcess: "\(getppid())")
        let quota = ProcessorQuota.current(ControlGroups())
        return .init(rank: rank, cores: cores, launcherCores: launcher ?? cores, quota: quota)
    }

    /// As text: cores, cores of the launcher, quota, separated by semicolons.
    var bytes: [UInt8] {
        let lists = [cores, launcherCores].map { $0.map(String.init).joined(separator: ",") }
        return Array((lists + [quota.map { "\($0)" } ?? ""]).joined(separator: ";").utf8)
    }

    init(rank: Int, bytes: [UInt8]) {
        let parts = String(decoding: bytes, as: UTF8.self).split(
            separator: ";", omittingEmptySubsequences: false)
        func list(_ index: Int) -> [Int] {
            index < parts.count ? parts[index].split(separator: ",").compactMap { Int($0) } : []
        }
        self.init(
            rank: rank, cores: list(0), launcherCores: list(1),
            quota: parts.count > 2 ? Double(parts[2]) : nil)
    }
}

/// The cores that a process may run on.
enum AffinityMask {
    /// Ascending; nil if the system does not say. `process` is an identifier, or "self".
    static func cores(ofProcess process: String) -> [Int]? {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else {
            return nil
        }
        let key = "Cpus_allowed_list:"
        return status.split(separator: "\n").first { $0.hasPrefix(key) }.flatMap {
            parse(list: $0.dropFirst(key.count))
        }
    }

    /// From the kernel's list format, such as "0-3,8,10-11"; nil for anything else.
    static func parse(list: some StringProtocol) -> [Int]? {
        var cores: [Int] = []
        for item in list.trimmingCharacters(in: .whitespaces).split(separator: ",") {
            let ends = item.split(separator: "-").map { Int($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last
            else {
                return nil
            }
            cores += first...last
        }
        return cores.isEmpty ? nil : cores
    }
}

/// The limit that a container's control group sets on processor time.
enum ProcessorQuota {
    /// Processors' worth of time that the groups of a process leave it; nil without a limit.
    static func current(_ groups: ControlGroups) -> Double? {
        groups.least(of: "cpu") { folder in folder.isUnified ? unified(folder) : legacy(folder) }
    }

    /// Version 2: `cpu.max` holds quota ("max" for none) and period in microseconds.
    private static func unified(_ folder: ControlGroups.Folder) -> Double? {
        let fields = folder.text("cpu.max").split(whereSeparator: \.isWhitespace)
        guard fields.count == 2, let quota = Double(fields[0]), let period = Double(fields[1]) else {
            return nil
        }
        return ratio(quota, period)
    }

    /// Version 1: two files, and -1 for no limit.
    private static func legacy(_ folder: ControlGroups.Folder) -> Double? {
        guard let quota: Double = folder.number("cpu.cfs_quota_us"),
            let period: Double = folder.number("cpu.cfs_period_us")
        else { return nil }
        return ratio(quota, period)
    }

    private static func ratio(_ quota: Double, _ period: Double) -> Double? {
        quota > 0 && period > 0 ? quota / period : nil
    }
}
