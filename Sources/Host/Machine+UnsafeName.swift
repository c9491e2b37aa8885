import Foundation

extension Machine {
    /// The machine's name among the hosts of a job, "localhost" where it has none. The corresponding C
    /// function is `gethostname`.
    public static var name: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            buffer.initialize(repeating: 0)
            guard let start = buffer.baseAddress, gethostname(start, buffer.count - 1) == 0 else {
                return "localhost"
            }
            return String(cString: start)
        }
    }
}
