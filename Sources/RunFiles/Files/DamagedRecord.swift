import Sampling

/// A file in a run's folder that does not hold what the program wrote there.
public struct DamagedRecord: Error, Equatable, Sendable, CustomStringConvertible {
    public let path: String
    /// What is there instead, as in "line 3 is no row of a step".
    public let found: String

    /// What to do, as in "delete it".
    public let remedy: String

    public init(path: String, found: String, remedy: String) {
        (self.path, self.found, self.remedy) = (path, found, remedy)
    }

    /// One sentence.
    public var description: String {
        oneLine("'\(path)' is damaged: \(found): \(remedy).")
    }
}
