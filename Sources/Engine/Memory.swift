import Foundation

/// What memory the machine has left for this process.
public enum Memory {
    /// Free memory of the machine or of the process's control group, whichever is less; nil where neither is told.
    public static var availableBytes: Int? {
        [machineBytes, groupBytes].compactMap { $0 }.min()
    }

    private static var machineBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }

    private static var groupBytes: Int? {
        func number(_ name: String) -> Int? {
            (try? String(contentsOfFile: "/sys/fs/cgroup/\(name)", encoding: .utf8))
                .flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        guard let limit = number("memory.max"), let used = number("memory.current") else { return nil }
        return max(0, limit - used)
    }
}
