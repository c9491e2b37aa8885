import Foundation
import RunFiles

/// Where a report is written.
public enum ReportFolder {
    /// Checks that a report can be written into a folder: that the files of these names are those of a
    /// report, and none is read. A report is known by its `runs.csv`; a folder of other things is refused.
    /// - Parameter paths: of the files that are read.
    /// - Throws: `OutputError`.
    public static func check(_ folder: String, reading paths: [String]) throws {
        var outputs = OutputCheck(reading: paths)
        let isReport = OutputCheck.Own.text(["run,network,patch,"]).holds(at: folder + "/runs.csv")
        try OutputCheck.folder(folder, as: "a report") { _ in isReport }
        let own = isReport ? OutputCheck.Own.known : .text([])
        let figures = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let names =
            ["index.html", "report.md", "runs.csv", "held_out.csv"]
            + figures.filter { $0.hasSuffix(".svg") }.sorted()
        for name in names {
            try outputs.add("\(folder)/\(name)", as: "the report's \(name)", own: own)
        }
    }
}
