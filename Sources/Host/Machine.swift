import Foundation

/// What the operating system says of this machine and of this process.
public enum Machine {
    /// The processor's name, or the architecture where it has none.
    public static var processor: String {
        let line = text("/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
        #if arch(arm64)
            return name ?? "arm64"
        #else
            return name ?? "x86_64"
        #endif
    }

    /// The largest resident memory that this process has had, in bytes; 0 where the system does not say.
    public static var peakBytes: Int { status("VmHWM:") }

    /// The resident memory that it has now, in bytes.
    public static var residentBytes: Int { status("VmRSS:") }

    private static func status(_ key: String) -> Int {
        let line = text("/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix(key) }
        let kibibytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        return (kibibytes ?? 0) << 10
    }

    /// The file of a program in PATH.
    public static func program(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// The file of this program.
    public static var executable: String {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
