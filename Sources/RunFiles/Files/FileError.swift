import Foundation
import Sampling
import SystemPackage

/// An operation on a file that failed.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried, as in "the checkpoint a.safetensors could not be written".
    public let attempt: String
    /// The system's reason.
    public let reason: Errno

    public init(_ attempt: String, _ reason: Errno) {
        self.attempt = attempt
        self.reason = reason
    }

    /// With the reason that an error of Foundation holds.
    public init(_ attempt: String, foundation error: any Error) {
        self.init(attempt, Errno(foundation: error))
    }

    /// One sentence.
    public var description: String { oneLine("\(attempt): \(reason).") }
}

extension Errno {
    /// The system's reason inside an error of Foundation; an input/output error where it gives none.
    package init(foundation error: any Error) {
        // A `POSIXError`, which is no `NSError` before it is made one.
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
        let underlying = cause.map { $0 as NSError }
        let posix = [underlying, error as NSError].compactMap { $0 }.first { $0.domain == NSPOSIXErrorDomain }
        self = posix.map { Errno(rawValue: CInt($0.code)) } ?? .ioError
    }
}
