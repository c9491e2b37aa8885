import Collectives
import RunFiles
import SystemPackage

/// Writes the timelines of all ranks into one file.
struct TimelineFile {
    let path: String
    let communicator: any Communicator
    /// Is called before each part that ranks write together.
    var watch: () -> Void = {}

    /// Writes the file on rank 0, a piece at a time, so that no rank ever holds the whole. Collective.
    /// - Parameter text: this rank's.
    /// - Returns: on rank 0 why the file could not be written; an older one is then as it was.
    /// - Throws: `MPIError`.
    func write(_ text: TimelineText) throws -> FileError? {
        let pieces = try communicator.allGather([Int64(text.pieces)])
        var turns = pieces.indices.flatMap { rank in (0..<Int(pieces[rank])).map { (rank, $0) } }
            .makeIterator()
        func next() throws -> [UInt8]? {
            guard let (rank, index) = turns.next() else { return nil }
            watch()
            let all = try communicator.gather(
                rank == communicator.rank ? text.piece(index) : [], to: 0)
            return communicator.rank == 0 ? all[rank] : []
        }
        var failure: FileError?
        if communicator.rank == 0 {
            do {
                try AtomicFile.write(path) { file in
                    var separator = TimelineText.head + "\n"
                    while let piece = try next() {
                        try file.writeAll(separator.utf8)
                        try file.writeAll(piece)
                        separator = ",\n"
                    }
                    try file.writeAll(TimelineText.tail.utf8)
                }
            } catch let error as FileError {
                failure = error
            }
        }
        // The other ranks', and what is left after a failure.
        while try next() != nil {}
        return failure
    }
}
