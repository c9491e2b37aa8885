import CMPI

extension MPILibrary {
    /// Nil when the library `name` was opened, else why it was not.
    static func openingFailure(_ name: String) -> String? {
        var opened = false
        let reason = text(capacity: 1024) { opened = cmpi_open(name, $0, $1) }
        return opened ? nil : reason
    }

    /// The corresponding C function is `MPI_Get_library_version`.
    static func libraryVersion() -> String { text(capacity: 8192) { cmpi_library_version($0, $1) } }

    /// The corresponding C function is `MPI_Error_string`.
    static func errorText(_ code: Int32) -> String { text(capacity: 1024) { cmpi_error_text(code, $0, $1) } }

    /// What a C function writes into a buffer of `capacity` bytes as a zero-terminated string.
    private static func text(capacity: Int, _ write: (UnsafeMutablePointer<CChar>, Int) -> Void) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
            buffer.initialize(repeating: 0)
            guard let start = buffer.baseAddress else { return "" }
            write(start, capacity)
            return String(cString: start)
        }
    }
}
