import Collectives
import Sampling

/// The grids of many subjects, by their headers alone. The ranks divide the files among themselves.
public enum GridSurvey {
    /// Collective.
    /// - Parameters:
    ///   - subjects: the same on all ranks; rank r of N reads the headers of subjects r, r + N and so on.
    ///   - leavesOutUnreadable: passes over subjects whose header cannot be read, where what reads them says
    ///     so.
    ///   - progress: called after each file.
    /// - Returns: the grids in the order of the subjects, the same on all ranks.
    /// - Throws: the same on all ranks: `NIfTIError` of a header.
    public static func read(
        _ subjects: [SubjectFiles], on ranks: any Communicator, leavesOutUnreadable: Bool = false,
        progress: () -> Void = {}
    ) throws -> [SubjectGrid] {
        // A flag, and the numbers of the grid; as many on each rank.
        let width = 1 + SubjectGrid.numberCount
        let share = (subjects.count + ranks.size - 1) / ranks.size
        guard share > 0 else { return [] }
        let own = try ranks.together {
            var own = [Double](repeating: 0, count: share * width)
            for (place, index) in stride(from: ranks.rank, to: subjects.count, by: ranks.size).enumerated() {
                defer { progress() }
                do {
                    let grid = try SubjectGrid(reading: subjects[index])
                    own.replaceSubrange(place * width..<(place + 1) * width, with: [1] + grid.numbers)
                } catch  where leavesOutUnreadable {}
            }
            return own
        }
        let all = try ranks.allGather(own)
        return subjects.enumerated().compactMap { index, files in
            let start = (index % ranks.size * share + index / ranks.size) * width
            guard all[start] == 1 else { return nil }
            return SubjectGrid(files.subject, numbers: all[start + 1..<start + width])
        }
    }
}
