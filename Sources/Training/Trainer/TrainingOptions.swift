/// How a run is started, beside what is trained.
public struct TrainingOptions: Sendable {
    /// The run directory; made when it is missing.
    public var runFolder: String
    public var resume = ResumeRule.automatic
    /// Shows warnings and errors only.
    public var quiet = false
    /// Where the timeline of the run is written; nil for none.
    public var timeline: String?
    /// Whether it says on the console where subjects differ in orientation or spacing; else in the log alone. A sweep says
    /// it once for all its runs.
    public var warnsOfGrids = true
    /// Of the program, for the summary.
    public var version = ""

    var summaryPath: String { runFolder + "/summary.json" }

    public init(
        runFolder: String, resume: ResumeRule = .automatic, quiet: Bool = false, timeline: String? = nil,
        warnsOfGrids: Bool = true, version: String = ""
    ) {
        self.runFolder = runFolder
        self.resume = resume
        self.quiet = quiet
        self.timeline = timeline
        self.warnsOfGrids = warnsOfGrids
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

    /// From `auto`, `never` or a path.
    public init(_ text: String) {
        switch text {
        case "auto": self = .automatic
        case "never": self = .never
        default: self = .file(text)
        }
    }
}
