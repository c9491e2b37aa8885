import Foundation

/// Name of this machine. The corresponding C function is `gethostname`.
func machineName() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        buffer.initialize(repeating: 0)
        guard let start = buffer.baseAddress, gethostname(start, buffer.count - 1) == 0 else {
            return "localhost"
        }
        return String(cString: start)
    }
}
