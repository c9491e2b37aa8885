import Foundation
import Testing

@testable import Host

@Suite struct MemoryTests {
    private static let mebibyte = 1 << 20
    private static let machine = [
        "proc/meminfo": "MemTotal: 9000 kB\nMemFree:  1000 kB\nMemAvailable:    8192 kB\n"
    ]

    @Test func withoutGroupsTheMachineCounts() throws {
        #expect(try available([:]) == 8 * Self.mebibyte)
        #expect(try available(["proc/self/cgroup": "0::/\n"]) == 8 * Self.mebibyte)
    }

    @Test func whatIsNotToldIsNil() throws {
        #expect(try available(["proc/meminfo": "MemFree: 1000 kB\n"]) == nil)
    }

    /// Slurm limits job and step, above the group of the task.
    @Test func ofNestedGroupsTheLeastCounts() throws {
        let limits = [
            "proc/self/cgroup": "0::/job_7/step_0/task_1\n",
            "sys/fs/cgroup/job_7/memory.max": "\(6 * Self.mebibyte)\n",
            "sys/fs/cgroup/job_7/memory.current": "\(4 * Self.mebibyte)\n",
            "sys/fs/cgroup/job_7/step_0/memory.max": "\(4 * Self.mebibyte)\n",
            "sys/fs/cgroup/job_7/step_0/memory.current": "\(1 * Self.mebibyte)\n",
            "sys/fs/cgroup/job_7/step_0/task_1/memory.max": "max\n",
            "sys/fs/cgroup/job_7/step_0/task_1/memory.current": "\(1 * Self.mebibyte)\n",
        ]
        #expect(try available(limits) == 2 * Self.mebibyte)
        #expect(
            try available(limits.merging(["proc/meminfo": "MemAvailable: 1024 kB\n"]) { $1 }) == Self.mebibyte
        )
    }

    @Test func filesThatTheKernelKeepsAreFree() throws {
        let stat = "anon 1000\nfile 3145728\nactive_file 1048576\ninactive_file 2097152\n"
        let group = [
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": "\(4 * Self.mebibyte)\n",
            "sys/fs/cgroup/memory.current": "\(4 * Self.mebibyte)\n",
        ]
        #expect(try available(group) == 0)
        #expect(
            try available(group.merging(["sys/fs/cgroup/memory.stat": stat]) { $1 }) == 2 * Self.mebibyte)
    }

    @Test func filesOfAContainerLieAtTheMount() throws {
        let group = [
            "proc/self/cgroup": "0::/not/visible\n",
            "sys/fs/cgroup/memory.max": "\(5 * Self.mebibyte)\n",
            "sys/fs/cgroup/memory.current": "\(2 * Self.mebibyte)\n",
        ]
        #expect(try available(group) == 3 * Self.mebibyte)
    }

    @Test func versionOne() throws {
        let folder = "sys/fs/cgroup/memory/slurm/job_7"
        let group = [
            "proc/self/cgroup": "5:cpuset:/slurm\n4:memory:/slurm/job_7/step_0\n0::/\n",
            // No limit.
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "\(7 * Self.mebibyte)\n",
            folder + "/memory.limit_in_bytes": "\(6 * Self.mebibyte)\n",
            folder + "/memory.usage_in_bytes": "\(5 * Self.mebibyte)\n",
            // The sums of the groups below count.
            folder + "/memory.stat": "inactive_file 4096\ntotal_inactive_file \(3 * Self.mebibyte)\n",
        ]
        #expect(try available(group) == 4 * Self.mebibyte)
        #expect(
            try available(group.merging(["proc/self/cgroup": "4:memory:/\n"]) { $1 }) == 8 * Self.mebibyte)
    }

    /// A limit that was lowered below what is used.
    @Test func aGroupThatIsFullHasNothingLeft() throws {
        let group = [
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": "\(Self.mebibyte)\n",
            "sys/fs/cgroup/memory.current": "\(2 * Self.mebibyte)\n",
        ]
        #expect(try available(group) == 0)
    }

    /// What is free on a machine with 8 MiB available and these files.
    private func available(_ files: [String: String]) throws -> Int? {
        let root = FileManager.default.temporaryDirectory.appending(path: "dicerank-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (path, text) in Self.machine.merging(files, uniquingKeysWith: { $1 }) {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return Memory.availableBytes(root: root.path)
    }
}
