/// How a run is started, beside what is trained.
public struct TrainingOptions: Sendable {
    /// The run directory; made when it is missing.
    public var runFolder: String
    public var resume = ResumeRule.automatic
    /// Shows warnings and errors only.
    public var quiet = false
    /// Where the timeline of the run is written; nil for none.
    public var timeline: String?
    /// Whether it says on the console where subjects differ in orientation or spacing; else in the log alone.
    /// A sweep says it once for all its runs.
    public var warnsOfGrids = true
    /// Files that the command has read, such as the configuration, beside the list and what it names: they
    /// are not written over.
    public var reads: [String] = []
    /// Of the program, for the summary.
    public var version = ""

    var summaryPath: String { runFolder + "/summary.json" }

    public init(
        runFolder: String, resume: ResumeRule = .automatic, quiet: Bool = false, timeline: String? = nil,
        warnsOfGrids: Bool = true, reads: [String] = [], version: String = ""
    ) {
        self.runFolder = runFolder
        self.resume = resume
        self.quiet = quiet
        self.timeline = timeline
        self.warnsOfGrids = warnsOfGrids
        self.reads = reads + resume.paths
        self.version = version
    }
}

/// Where a run begins.
public enum ResumeRule: Sendable, Equatable {
    /// At the newest whole checkpoint of the run directory, or anew when it has none.
    case automatic
    /// Anew, in a directory without checkpoints.
    case never
    /// At this checkpoint.
    case file(String)

    /// Of the checkpoint that is named.
    var paths: [String] { if case .file(let path) = self { [path] } else { [] } }

    /// From `auto`, `never` or a path.
    public init(_ text: String) {
        switch text {
        case "auto": self = .automatic
        case "never": self = .never
        default: self = .file(text)
        }
    }
}
