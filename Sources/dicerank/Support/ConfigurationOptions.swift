import ArgumentParser
import Configuration
import Foundation
import RunFiles

/// A configuration file and what replaces its values.
struct ConfigurationOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("Configuration, a YAML file.", valueName: "CONFIG"))
    var config: String

    @Option(
        help: ArgumentHelp(
            "Replace a value of the configuration; may be repeated. Paths start at the current folder.",
            valueName: "key.sub=value"))
    var set: [String] = []

    func read() throws -> RunConfiguration {
        try RunConfiguration(contentsOf: config, overrides: set, warn: Self.warn(of: config))
    }

    /// Says on the first rank what is to be changed in a configuration. What a run has recorded of itself is nobody's to
    /// change.
    static func warn(of path: String) -> (_ sentence: String) -> Void {
        let isRecord = URL(filePath: path).lastPathComponent == "config.yaml" && RunFolder.isRun(beside: path)
        return { sentence in
            if LaunchedRank.current.isFirst, !isRecord { Report(isQuiet: false).warning(sentence) }
        }
    }
}
